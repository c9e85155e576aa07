#!/bin/sh
# What others wrote and we ship: its licences, and whether something is known against it. `make audit`; in the hosted workflow too.
# Needs a package index, and for the second half pypi.org, whose advisories pip-audit asks for.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.tools/bin:$PATH # where setup.sh leaves uv

# Licences that ask for no more than to be named, and the MPL, which asks for changes to its own files. Whatever comes with another
# one, or with another mixture, somebody is to look at.
ALLOWED="MIT;MIT License;MIT-CMU;BSD License;BSD-2-Clause;BSD-3-Clause;Apache-2.0;Apache Software License;PSF-2.0"
ALLOWED="$ALLOWED;Mozilla Public License 2.0 (MPL 2.0);MPL-2.0 AND MIT"
ALLOWED="$ALLOWED;Apache-2.0 AND BSD-2-Clause" # prometheus_client
ALLOWED="$ALLOWED;BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0" # numpy

# An environment of what the images and the page's own server have, and nothing else.
uv venv --quiet --clear .tools/shipped
uv pip install --quiet --python .tools/shipped/bin/python --require-hashes --constraint requirements.lock \
    --requirement pyproject.toml --extra trainer --extra inference --extra exporter --extra frontend

licences() { uv tool run --quiet pip-licenses@5.5.5 --python .tools/shipped/bin/python --from mixed --with-urls --format markdown "$@"; }
licences --order license --output-file .tools/licences.md
cat .tools/licences.md
licences --allow-only "$ALLOWED" >/dev/null

# All that is locked, what only tests and experiments need among it. --disable-pip: the lock is the whole of it, nothing is resolved.
uv tool run --quiet pip-audit@2.10.1 --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off
