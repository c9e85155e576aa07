#!/bin/sh
# Write the websites of DOODLE_CORS_ORIGINS to the file that nginx.conf includes, since nginx reads no environment; then start nginx.
set -euf
export LC_ALL=C # so that a-z are 26 letters
for origin in $(printf %s "${DOODLE_CORS_ORIGINS:-}" | tr 'A-Z,' 'a-z '); do
    # As services/inference/settings.py: only these characters may reach the configuration.
    if ! printf '%s\n' "$origin" | grep -qxE 'https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?'; then
        echo "frontend: DOODLE_CORS_ORIGINS: '$origin' is no origin: it should look like https://example.org, without a path" >&2
        exit 1
    fi
    printf '"%s" $http_origin;\n' "$origin"
done >/tmp/origins.new
sort -u /tmp/origins.new >/tmp/origins.conf # nginx takes each once
exec nginx -g "daemon off;" "$@"
