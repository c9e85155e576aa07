#!/bin/sh
# Fill the empty volumes of this folder's stack from a file of scripts/backup.sh.
#   scripts/restore.sh FILE
set -eu
cd "$(dirname "$0")/.."
fail() {
    echo "restore: $1" >&2
    exit 1
}
file=${1:-}
[ -n "$file" ] || fail "name the file: make restore FILE=backups/doodle-….tar.gz"
gzip --test "$file" || fail "$file is no whole backup"
[ -z "$(docker compose ps --all --quiet)" ] || fail "the stack still has containers. Remove them: docker compose down"
docker compose --progress quiet run --rm -T backup '
    test -z "$(find . -type f | head -n 1)" || {
        echo "restore: the volumes hold data. This deletes it: docker compose down --volumes" >&2
        exit 1
    }
    tar --extract --gzip --preserve-permissions --same-owner --numeric-owner
' <"$file"
echo "restore: done. Start the stack: docker compose up -d"
