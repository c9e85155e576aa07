#!/bin/sh
# Save the models, the prediction log, the feedback and Grafana's settings of this folder's stack in one file.
#   scripts/backup.sh [FILE]
# The programs that write pause meanwhile. So the file has what a power cut would leave, and they all recover from that.
set -eu
cd "$(dirname "$0")/.."
file=${1:-backups/doodle-$(date +%Y%m%d-%H%M%S).tar.gz}
writers=$(docker compose ps --services --status running | grep -Ex 'trainer|redis|grafana' || true)

umask 077 # only the owner may read people's drawings
mkdir -p "$(dirname "$file")"
finish() {
    # shellcheck disable=SC2086 # the services are words
    if [ -n "$writers" ]; then
        docker compose --progress quiet unpause $writers
        # They count as unhealthy until their next health check, and `docker compose up` would fail meanwhile.
        for _ in $(seq 40); do
            docker compose ps --format '{{.Health}}' $writers | grep -qx unhealthy || break
            sleep 0.5
        done
    fi
    rm -f "$file.partial"
}
trap finish EXIT
trap 'exit 1' INT TERM
# shellcheck disable=SC2086
if [ -n "$writers" ]; then docker compose --progress quiet pause $writers; fi
docker compose --progress quiet run --rm -T backup '
    test -d models/versions || { echo "backup: this folder has no stack with a model. Start it: docker compose up -d" >&2; exit 1; }
    tar --create --gzip --numeric-owner --exclude training/mnist --exclude training/data models training redis grafana
' >"$file.partial"
mv "$file.partial" "$file"
echo "backup: $file has $(wc -c <"$file" | tr -d ' ') bytes. Restore it with: make restore FILE=$file"
