#!/bin/sh
# Start nginx. First write DOODLE_CORS_ORIGINS to a file that nginx.conf includes, since nginx cannot read the environment.
set -euf
export LC_ALL=C # a-z means the 26 ASCII letters
for origin in $(printf %s "${DOODLE_CORS_ORIGINS:-}" | tr 'A-Z,' 'a-z '); do
    # The pattern of services/inference/settings.py. It also keeps other characters out of the configuration.
    if ! printf '%s\n' "$origin" | grep -qxE 'https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?'; then
        echo "frontend: DOODLE_CORS_ORIGINS: '$origin' is not an origin: it should look like https://example.org, without a path" >&2
        exit 1
    fi
    printf '"%s" $http_origin;\n' "$origin"
done >/tmp/origins.new
sort -u /tmp/origins.new >/tmp/origins.conf # nginx rejects duplicates
exec nginx -g "daemon off;" "$@"
