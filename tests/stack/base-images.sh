#!/usr/bin/env bash
# Provide the base images of docker-compose.yml and services/Dockerfile. Without an image registry, build stand-ins from Debian 13's
# packages under the public names: CPython 3.13, nginx 1.26, Redis 8.0 and Prometheus 2.53. Debian has no Grafana.
#   DOODLE_TEST_IMAGES=public     pull all images; fail if one is not available
set -euo pipefail
cd "$(dirname "$0")/../.."
export DOCKER_BUILDKIT=1

have() { docker image inspect "$1" >/dev/null 2>&1; }

build() {  # name; Dockerfile on standard input
    local context
    debian
    context=$(mktemp -d)
    cat >"$context/Dockerfile"
    docker build --quiet --tag "$1" "$context" >/dev/null
    rm -rf "$context"
}

debian() {  # Debian 13 from this machine's mirror, with this machine's certificates
    have doodle-stand-in/debian:13 && return
    local root keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap
    root=$(mktemp -d)
    debootstrap --variant=minbase --include=ca-certificates --keyring=$keyring trixie "$root" "$(tests/stack/debian-mirror.sh)" >/dev/null
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
    tar -C "$root" -c . | docker import \
        -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
        - doodle-stand-in/debian:13 >/dev/null
    rm -rf "$root"
}

stand_in() {
    # Remove package lists and archives, which would be most of the image.
    local install='RUN clean() { rm -rf /var/lib/apt/lists/* /var/cache/apt/*; }; trap clean EXIT; apt-get update -q && apt-get install -q -y --no-install-recommends'
    case $1 in
    python:3.13-slim) build "$1" <<END
FROM doodle-stand-in/debian:13
$install python3 python3-venv python3-pip \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
CMD ["python3"]
END
    ;;
    nginx:1.26) build "$1" <<END
FROM doodle-stand-in/debian:13
$install nginx-light curl
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
    ;;
    redis:8.0) build "$1" <<END
FROM doodle-stand-in/debian:13
$install redis-server && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
CMD ["redis-server"]
END
    ;;
    prom/prometheus:v2.53.3) build "$1" <<END
FROM doodle-stand-in/debian:13
$install prometheus wget && mkdir -p /prometheus /etc/prometheus && chown -R nobody:nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
END
    ;;
    prom/alertmanager:v0.28.1) build "$1" <<END
FROM doodle-stand-in/debian:13
$install prometheus-alertmanager wget && ln -s prometheus-alertmanager /usr/bin/alertmanager \
 && mkdir -p /alertmanager /etc/alertmanager && chown -R nobody:nogroup /alertmanager /etc/alertmanager
USER nobody
WORKDIR /alertmanager
VOLUME /alertmanager
ENTRYPOINT ["/usr/bin/alertmanager"]
END
    ;;
    *) return 1 ;;
    esac
}

pull() {
    for attempt in 1 2 3; do
        timeout 300 docker pull --quiet "$1" >/dev/null && return
        [[ ${DOODLE_TEST_IMAGES:-} == public ]] || return 1
        sleep $((attempt * 10))
    done
    return 1
}

registry=reachable
for image in $(sed -nE 's/^ +image: (\S+)$/\1/p; s/^FROM (\S+:\S+)( AS .*)?$/\1/p' docker-compose.yml services/Dockerfile | sort -u); do
    if have "$image"; then
        continue
    elif [[ $registry == reachable ]] && pull "$image"; then
        echo "$image: pulled"
    elif [[ ${DOODLE_TEST_IMAGES:-} == public ]]; then
        echo "base-images.sh: $image cannot be pulled" >&2
        exit 1
    else
        registry=unreachable
        if stand_in "$image"; then echo "$image: a stand-in from Debian's packages"; else echo "$image: not available here"; fi
    fi
done
