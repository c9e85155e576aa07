#!/usr/bin/env bash
# Install and start a Docker engine with Compose v2 and buildx on Debian 12 or later, as root, unless one already runs.
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

if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then exit 0; fi
if [[ $EUID -ne 0 || ! -f /etc/debian_version ]]; then
    echo "engine.sh: no Docker engine with Compose v2 answers here, and only root on Debian can have one started by this script." >&2
    echo "Install Docker: https://docs.docker.com/engine/install" >&2
    exit 1
fi

retry() { for attempt in 1 2 3; do "$@" && return; ((attempt < 3)) || return 1; sleep $((attempt * 10)); done; }

if ! command -v dockerd >/dev/null; then
    retry apt-get -o Acquire::Retries=5 update -q
    DEBIAN_FRONTEND=noninteractive retry apt-get -o Acquire::Retries=5 install -q -y --no-install-recommends docker.io iptables
fi

# Debian 12 lacks Compose v2 and buildx. Debian 13's static binaries also run here; copy them without changing apt's sources.
plugins=${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins
if ! docker compose version >/dev/null 2>&1 || ! docker buildx version >/dev/null 2>&1; then
    work=$(mktemp -d)
    mkdir -p "$work"/{lists/partial,cache,root} "$plugins"
    mirror=$("$(dirname "$0")/debian-mirror.sh")
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
    options=(-q -oDir::Etc::sourcelist="$work/sources.list" -oDir::Etc::sourceparts=/dev/null -oAcquire::Retries=5
        -oDir::State::Lists="$work/lists" -oDir::Cache="$work/cache" -oAPT::Sandbox::User=root)
    retry apt-get "${options[@]}" update
    (cd "$work" && retry apt-get "${options[@]}" download docker-compose docker-buildx)
    for package in "$work"/*.deb; do dpkg -x "$package" "$work/root"; done
    cp "$work"/root/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$plugins"/
    rm -rf "$work"
fi

if ! docker info >/dev/null 2>&1; then
    mkdir -p "$run"
    setsid dockerd --data-root /var/lib/doodle-engine --pidfile "$run/docker.pid" >"$run/log" 2>&1 </dev/null &
    echo $! >"$run/pid"
    for _ in $(seq 120); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
    docker info >/dev/null || { echo "engine.sh: the engine does not start:" >&2; tail -20 "$run/log" >&2; exit 1; }
fi
