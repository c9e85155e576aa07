#!/bin/sh
# Create .venv: this project, and the locked packages of the named extras of pyproject.toml. For example:
#   scripts/setup.sh trainer inference …
# Needs Python 3.11 or later (PYTHON names the interpreter) and a package index. Without uv, pip installs it into .tools.
set -eu
cd "$(dirname "$0")/.."

chosen=${PYTHON:-}
PYTHON=${PYTHON:-python3}
export UV_PYTHON_DOWNLOADS=never # use the installed Python

if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    uv=.tools/bin/uv
    if [ ! -x $uv ]; then
        if ! "$PYTHON" -m pip --version >/dev/null 2>&1; then
            echo "setup: neither uv nor pip is installed. Install one: https://docs.astral.sh/uv, or on Debian: apt install python3-pip" >&2
            exit 1
        fi
        echo "setup: fetching uv with pip"
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .tools \
            --require-hashes --requirement requirements-uv.lock
    fi
fi

# uv ignores pip's configuration and variables, so pass pip's index and certificate on to it.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    index=${PIP_INDEX_URL:-$("$PYTHON" -m pip config get global.index-url 2>/dev/null || true)}
    if [ -n "$index" ]; then export UV_DEFAULT_INDEX="$index"; fi
fi
if [ -z "${SSL_CERT_FILE:-}" ] && [ -n "${PIP_CERT:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi

# An existing .venv stays, unless PYTHON names another version.
version() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true; }
existing=$(version .venv/bin/python)
if [ -z "$existing" ] || { [ -n "$chosen" ] && [ "$existing" != "$(version "$PYTHON")" ]; }; then
    case $(version "$PYTHON") in
    3.1[1-9].*) ;;
    *)
        echo "setup: Doodle needs Python 3.11 or later. $PYTHON is $("$PYTHON" --version 2>&1). Name another one: make run PYTHON=python3.13" >&2
        exit 1
        ;;
    esac
    $uv venv --quiet --clear --python "$(command -v "$PYTHON")" .venv
fi

# Install the locked versions, with their hashes checked; then this project, built by the locked hatchling.
extras=
for extra in "$@"; do extras="$extras --extra $extra"; done
# shellcheck disable=SC2086 # the extras are words
$uv pip install --quiet --python .venv/bin/python --require-hashes --constraint requirements.lock \
    --requirement pyproject.toml $extras
$uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .

# DVC needs Git's metadata by default; no_scm lets the pipeline run in an unpacked archive too.
if ! git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    printf '[core]\n    no_scm = true\n' >.dvc/config.local
fi
