#!/bin/sh
# List the licenses of all shipped packages, and check the packages for known vulnerabilities and missing wheels: `make audit`, also
# in the hosted workflow.
# Needs a package index, and pypi.org for pip-audit's advisories.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/.tools/bin:$PATH # setup.sh installs uv there

# Licenses that require only attribution, and the MPL, which covers only its own files. A person must review any other.
ALLOWED="MIT;MIT License;MIT-CMU;BSD License;BSD-2-Clause;BSD-3-Clause;Apache-2.0;Apache Software License;PSF-2.0"
ALLOWED="$ALLOWED;Mozilla Public License 2.0 (MPL 2.0);MPL-2.0 AND MIT"
ALLOWED="$ALLOWED;Apache-2.0 AND BSD-2-Clause" # prometheus_client
ALLOWED="$ALLOWED;BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0" # numpy

# An environment with the packages of the images and of the page's own server.
uv venv --quiet --clear .tools/shipped
uv pip install --quiet --python .tools/shipped/bin/python --require-hashes --constraint requirements.lock \
    --requirement pyproject.toml --extra trainer --extra inference --extra exporter --extra frontend

licenses() { uv tool run --quiet pip-licenses@5.5.5 --python .tools/shipped/bin/python --from mixed --with-urls --format markdown "$@"; }
licenses --order license --output-file .tools/licenses.md
cat .tools/licenses.md
licenses --allow-only "$ALLOWED" >/dev/null

# Check all locked packages, those of tests and experiments too. --disable-pip: the lock is complete, so nothing is resolved.
uv tool run --quiet pip-audit@2.10.1 --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off

# On Linux arm64, a locked package without a wheel would need a compiler. --dry-run resolves and installs nothing. Only
# antlr4-python3-runtime, which DVC needs, has no wheel. It is pure Python.
for version in 3.11 3.12 3.13 3.14; do
    uv pip install --quiet --dry-run --no-deps --target .tools/wheels --python .tools/shipped/bin/python \
        --python-version $version --python-platform aarch64-manylinux_2_28 --only-binary :all: \
        --no-binary antlr4-python3-runtime --require-hashes --requirement requirements.lock
done
