#!/bin/sh
# Alertmanager takes the webhook from a file alone, since there may be a secret in it; here it comes in the environment.
set -eu
case ${DOODLE_ALERT_WEBHOOK:-} in
http://* | https://*) ;;
*)
    echo "alertmanager: nobody can be told: set DOODLE_ALERT_WEBHOOK to an address that begins with http:// or https:// (.env.example)" >&2
    exit 1
    ;;
esac
umask 077
printf %s "$DOODLE_ALERT_WEBHOOK" >/tmp/webhook
exec alertmanager --config.file=/etc/alertmanager/alertmanager.yml --storage.path=/alertmanager --cluster.listen-address= "$@"
