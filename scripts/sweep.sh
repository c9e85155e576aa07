#!/bin/sh
# Run all experiments queued with `dvc exp run --queue`, JOBS at a time. Then show all experiments, the best first.
#   scripts/sweep.sh [JOBS]
# A DVC worker dies when it reads a message that another worker is still writing (https://github.com/celery/kombu/issues/1551).
# The rest of the queue would then wait forever, so this script starts new workers with `dvc queue start`.
set -eu

POLL_INTERVAL=5
MAX_ATTEMPTS=6 # polls without an active worker, while DVC reports a running experiment: a busy worker may answer late
COLUMNS_SHOWN='Experiment|State|accuracy$|synthetic_accuracy$|(seed|recipe|preprocess|synthesize|train|evaluate)\b'

without_worker=0
while [ $without_worker -lt $MAX_ATTEMPTS ]; do
    case $(dvc queue status 2>/dev/null || echo 'status failed, so assume: Running') in
        *Queued*) without_worker=0 && dvc queue start --jobs "${1:-1}" >/dev/null 2>&1 || true ;; # active workers stay
        *Running*"0 active"*) without_worker=$((without_worker + 1)) ;;
        *Running*) without_worker=0 ;;
        *) break ;;
    esac
    sleep $POLL_INTERVAL
done

dvc exp show --md --only-changed --hide-workspace --sort-by accuracy --sort-order desc --drop "^(?!$COLUMNS_SHOWN)"
case $(dvc queue status) in
    *Running*) echo "sweep: some experiments lost their worker. Run \`dvc queue kill NAME\` and queue them again" >&2 && exit 1 ;;
    *Failed*) echo "sweep: some experiments failed. \`dvc queue logs NAME\` shows why; \`dvc queue remove --failed\` deletes them" >&2 && exit 1 ;;
esac
