#!/usr/bin/env bash
# Start Docker 28 with Compose v2 and buildx from Debian's packages on Debian 12 or later, as root, unless such an engine runs.
#   engine.sh          start it
#   engine.sh stop     stop the engine that this script started
set -euo pipefail

run=/run/doodle-engine
if [[ ${1:-} == stop ]]; then
    if [[ -f $run/pid ]]; then
        pid=$(cat "$run/pid")
        kill "$pid" 2>/dev/null || true
        for _ in $(seq 40); do kill -0 "$pid" 2>/dev/null || break; sleep 0.5; done
        rm -f "$run/pid"
    fi
    exit 0
fi

oldest=28 # older engines crash while they build several images at once
complete() { docker compose version && docker buildx version; } >/dev/null 2>&1

if version=$(docker version --format '{{.Server.Version}}' 2>/dev/null); then
    if ((${version%%.*} < oldest)); then
        echo "engine.sh: the engine that answers here is Docker $version, and these tests need Docker $oldest or later." >&2
        echo "Upgrade it (https://docs.docker.com/engine/install), or stop it: engine.sh then starts one from Debian's packages." >&2
        exit 1
    fi
    if complete; then exit 0; fi
fi
if [[ $EUID -ne 0 || ! -f /etc/debian_version ]]; then
    echo "engine.sh: no Docker engine with Compose v2 answers here, and only root on Debian can have one started by this script." >&2
    echo "Install Docker: https://docs.docker.com/engine/install" >&2
    exit 1
fi

retry() { for attempt in 1 2 3; do "$@" && return; ((attempt < 3)) || return 1; sleep $((attempt * 10)); done; }

# Debian 12 and 13 have older engines. Debian testing's programs run on both, from /usr/local/bin, which comes before /usr/bin.
# Only runc is this Debian's own, because testing's needs a newer C library. apt's sources do not change.
have() { local version; version=$(dockerd --version 2>/dev/null) && version=${version#Docker version } && ((${version%%.*} >= oldest)); }
if ! have || ! complete; then
    retry apt-get -o Acquire::Retries=5 update -q
    DEBIAN_FRONTEND=noninteractive retry apt-get -o Acquire::Retries=5 install -q -y --no-install-recommends iptables runc
    work=$(mktemp -d)
    plugins=/usr/local/lib/docker/cli-plugins
    mkdir -p "$work"/{lists/partial,cache,root} "$plugins"
    mirror=$("$(dirname "$0")/debian-mirror.sh")
    # A mirror may hold a copy of the suite that is some weeks old, and apt rejects one after seven days.
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] $mirror testing main" >"$work/sources.list"
    options=(-q -oDir::Etc::sourcelist="$work/sources.list" -oDir::Etc::sourceparts=/dev/null -oAcquire::Retries=5
        -oDir::State::Lists="$work/lists" -oDir::State::status=/dev/null -oDir::Cache="$work/cache" -oAPT::Sandbox::User=root)
    retry apt-get "${options[@]}" update
    (cd "$work" && retry apt-get "${options[@]}" download docker.io docker-cli containerd docker-compose docker-buildx)
    for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
    cp --remove-destination "$work"/root/usr/sbin/{dockerd,docker-proxy} "$work"/root/usr/bin/{docker,containerd,containerd-shim-runc-v2} /usr/local/bin/
    cp --remove-destination "$work"/root/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$plugins"/
    rm -rf "$work"
    hash -r
fi

if ! docker info >/dev/null 2>&1; then
    mkdir -p "$run"
    setsid dockerd --data-root /var/lib/doodle-engine --pidfile "$run/docker.pid" >"$run/log" 2>&1 </dev/null &
    echo $! >"$run/pid"
    for _ in $(seq 120); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
    docker info >/dev/null || { echo "engine.sh: the engine does not start:" >&2; tail -20 "$run/log" >&2; exit 1; }
fi
