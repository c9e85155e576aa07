#!/bin/sh
# Check commit subjects: "area: verb object", at most 72 characters. CONTRIBUTING.md lists the areas.
#   scripts/commit_subject.sh .git/COMMIT_EDITMSG    the message in a file, as pre-commit does
#   scripts/commit_subject.sh main..HEAD             the commits of a range, as CI does for a pull request
set -eu
AREAS='digitnet|trainer|inference|frontend|exporter|stores|stack|monitoring|docs|learn|tests|bench|build'

if [ -f "$1" ]; then
    subjects=$(head -n 1 "$1")
else
    subjects=$(git log --no-merges --format=%s "$1")
fi
[ -n "$subjects" ] || exit 0
bad=$(printf '%s\n' "$subjects" | grep -Ev "^((Revert|Merge) .|(fixup|squash)! )|^($AREAS): .{3,}[^.]\$" || true
    printf '%s\n' "$subjects" | grep -E '^.{73,}' || true)
if [ -n "$bad" ]; then
    printf 'commit subject: "%s"\n' "$bad" >&2
    echo "expected \"area: verb object\" with at most 72 characters; areas: $AREAS" >&2
    exit 1
fi
