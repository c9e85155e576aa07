#!/bin/sh
# Run what `dvc exp run --queue` has queued, so many at a time, to the end; then show all experiments, the best first.
#   scripts/sweep.sh [JOBS]
# `dvc queue start` does the work. But a worker of DVC's dies where it reads a message that another is still writing
# (https://github.com/celery/kombu/issues/1551), and the rest of the queue would wait for ever: here others take its place.
set -eu

LOOK_SECONDS=5
PATIENCE=6 # looks at an experiment that is said to run while no worker answers: a busy one may be late with that
COLUMNS_SHOWN='Experiment|State|accuracy$|synthetic_accuracy$|(seed|recipe|preprocess|synthesize|train|evaluate)\b'

alone=0
while [ $alone -lt $PATIENCE ]; do
    case $(dvc queue status 2>/dev/null || echo 'asked in a bad moment: Running') in
        *Queued*) alone=0 && dvc queue start --jobs "${1:-1}" >/dev/null 2>&1 || true ;; # the workers that there are stay
        *Running*"0 active"*) alone=$((alone + 1)) ;;
        *Running*) alone=0 ;;
        *) break ;;
    esac
    sleep $LOOK_SECONDS
done

dvc exp show --md --only-changed --hide-workspace --sort-by accuracy --sort-order desc --drop "^(?!$COLUMNS_SHOWN)"
case $(dvc queue status) in
    *Running*) echo "sweep: some lost their worker: \`dvc queue kill NAME\`, and queue them again" >&2 && exit 1 ;;
    *Failed*) echo "sweep: some failed: \`dvc queue logs NAME\` says why, \`dvc queue remove --failed\` forgets them" >&2 && exit 1 ;;
esac
