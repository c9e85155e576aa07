#!/usr/bin/env bash
# Provide the base images of services/Dockerfile and monitoring/Dockerfile. Without an image registry, build stand-ins from Debian
# testing's packages under the public names: CPython 3.14, nginx 1.30, Redis 8.0, Prometheus 3.5 and Alertmanager 0.33. The script
# prints each package's version, which moves with Debian testing. Debian has no Grafana.
#   DOODLE_TEST_IMAGES=public     pull all images; fail if one is not available
set -euo pipefail
cd "$(dirname "$0")/../.."

have() { docker image inspect "$1" >/dev/null 2>&1; }

build() {  # name; Dockerfile on standard input
    local context
    debian
    context=$(mktemp -d)
    cat >"$context/Dockerfile"
    docker build --quiet --tag "$1" "$context" >/dev/null
    rm -rf "$context"
}

debian() {  # Debian testing from this machine's mirror, with this machine's certificates
    have doodle-stand-in/debian:testing && return
    local root keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends debootstrap
    root=$(mktemp -d)
    debootstrap --variant=minbase --include=ca-certificates --keyring=$keyring testing "$root" "$(tests/stack/debian-mirror.sh)" >/dev/null
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    # A mirror may hold a copy of the suite that is some weeks old, and apt rejects one after seven days.
    echo 'Acquire::Check-Valid-Until "false";' >"$root/etc/apt/apt.conf.d/old-mirror"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*
    tar -C "$root" -c . | docker import \
        -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        -c 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
        - doodle-stand-in/debian:testing >/dev/null
    rm -rf "$root"
}

stand_in() {
    # Remove package lists and archives, which would be most of the image.
    local install='RUN clean() { rm -rf /var/lib/apt/lists/* /var/cache/apt/*; }; trap clean EXIT; apt-get update -q && apt-get install -q -y --no-install-recommends'
    case $1 in
    python:3.14-slim) build "$1" <<END
FROM doodle-stand-in/debian:testing
$install python3 python3-venv python3-pip \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/python3 /usr/local/bin/python3
CMD ["python3"]
END
    ;;
    nginx:1.30) build "$1" <<END
FROM doodle-stand-in/debian:testing
$install nginx-light curl
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
END
    ;;
    redis:8.0) build "$1" <<END
FROM doodle-stand-in/debian:testing
$install redis-server && mkdir -p /data && chown redis:redis /data
VOLUME /data
WORKDIR /data
CMD ["redis-server"]
END
    ;;
    prom/prometheus:v3.5.3) build "$1" <<END
FROM doodle-stand-in/debian:testing
$install prometheus wget && mkdir -p /prometheus /etc/prometheus && chown -R nobody:nogroup /prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]
END
    ;;
    prom/alertmanager:v0.33.1) build "$1" <<END
FROM doodle-stand-in/debian:testing
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

packaged() {  # the package that a stand-in runs, and its version
    docker run --rm --entrypoint dpkg-query "$1" --show python3 nginx-light redis-server prometheus prometheus-alertmanager 2>/dev/null |
        tr '\t\n' '  '
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
for image in $(sed -nE 's/^FROM (\S+:\S+) AS .*$/\1/p' services/Dockerfile monitoring/Dockerfile | sort -u); do
    if have "$image"; then
        continue
    elif [[ $registry == reachable ]] && pull "$image"; then
        echo "$image: pulled"
    elif [[ ${DOODLE_TEST_IMAGES:-} == public ]]; then
        echo "base-images.sh: $image cannot be pulled" >&2
        exit 1
    else
        registry=unreachable
        if stand_in "$image"; then echo "$image: a stand-in from Debian's packages: $(packaged "$image")"; else echo "$image: not available here"; fi
    fi
done
