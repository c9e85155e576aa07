"""The trainer's command line, run in the project's top folder: a command a pipeline stage (`python -m trainer train`), and
watch, the trainer of a running stack."""

import argparse
import logging
import os
import sys
from pathlib import Path

from deployment.environment import Environment
from deployment.process import log_to_stdout
from stores.models import open_models
from threadpoolctl import threadpool_limits

from trainer.fetch import FetchError
from trainer.stages import STAGES, run_stage
from trainer.stop_signals import StopSignals
from trainer.train import Stopped
from trainer.watch import watch
from trainer.workspace import Workspace

log = logging.getLogger("trainer")

STOPPED = 130  # the exit code that shells give to what Ctrl-C ended


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, stage in STAGES.items():
        commands.add_parser(name, help=stage.__doc__, description=stage.__doc__)
    commands.add_parser(
        "watch", help="publish what the pipeline makes; where nothing is live yet, run it", description=watch.__doc__
    )
    command = parser.parse_args(arguments).command

    try:
        # Training brings its own threads, and one BLAS thread adds in the same order on every machine.
        with threadpool_limits(1, user_api="blas"):
            return _watch() if command == "watch" else _run(command)
    except (FetchError, ValueError, OSError) as error:  # what is wrong with data, settings and models are ValueErrors
        log.error("%s", error)
        return 1


def _run(stage):
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        run_stage(stage, Workspace.from_environment(os.environ), StopSignals(STOPPED))
    except Stopped as stop:
        log.warning("%s", stop)
        return STOPPED
    return 0


def _watch():
    """A service: its log is structured, and being told to stop is no failure."""
    log_to_stdout()
    environment = Environment(os.environ)
    artifacts = Path(environment.text("DOODLE_ARTIFACTS", "artifacts"))
    models = open_models(environment.url("DOODLE_MODELS", "state/models", open_models))
    try:
        watch(artifacts, Workspace.from_environment(os.environ), models, StopSignals(0))
    except Stopped as stop:
        log.info("%s", stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
