#!/usr/bin/env bash
# All tests. Those of the stack by themselves, since Docker needs the machine; and beside them, when it has nothing else to do, those
# that need minutes and wait for nobody (marked long). Where nothing else runs, one `pytest` does the same.
set -euo pipefail
cd "$(dirname "$0")/.."

pytest --numprocesses auto --durations 10 --ignore tests/stack -m 'not long'

log=$(mktemp)
# In a session of its own: Linux shares a processor among sessions, and being nice counts within one alone, but for autogroup. Not
# as nice as can be: what they start must answer in time while images are built.
setsid nice -n 5 sh -c 'echo 5 2>/dev/null >/proc/$$/autogroup; exec pytest --numprocesses 2 --ignore tests/stack -m long' >"$log" 2>&1 &
long=$!
trap 'kill -- "-$long" 2>/dev/null || true; rm -f "$log"' EXIT
code=0
pytest --durations 20 tests/stack || code=$?
wait "$long" || code=$?
cat "$log"
exit "$code"
