#!/bin/sh
# Write the webhook's URL from the environment to a file, because Alertmanager accepts a secret URL only from a file.
set -eu
case ${DOODLE_ALERT_WEBHOOK:-} in
http://* | https://*) ;;
*)
    echo "alertmanager: no webhook: set DOODLE_ALERT_WEBHOOK to an address that begins with http:// or https:// (.env.example)" >&2
    exit 1
    ;;
esac
umask 077
printf %s "$DOODLE_ALERT_WEBHOOK" >/tmp/webhook
exec alertmanager --config.file=/etc/alertmanager/alertmanager.yml --storage.path=/alertmanager --cluster.listen-address= "$@"
