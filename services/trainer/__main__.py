"""The trainer's command line, run in the project's top folder: a command a pipeline stage (`python -m trainer train`);
watch, the trainer of a running stack; models, which says what is live; and feedback, what users said."""

import argparse
import logging
import os
import sys
from pathlib import Path

from deployment.environment import Environment
from deployment.process import log_to_stdout
from dotenv import dotenv_values
from stores.models import open_models
from stores.prediction_log import PredictionLogError, open_prediction_log
from threadpoolctl import threadpool_limits

from trainer.data.fetch import FetchError
from trainer.feedback import command as feedback_command
from trainer.release import models_command
from trainer.release.watch import watch
from trainer.stages import STAGES, run_distributed_train, run_stage
from trainer.stop_signals import StopSignals
from trainer.training.unfinished import Stopped
from trainer.workspace import Workspace

log = logging.getLogger("trainer")

STOPPED = 130  # the exit code that shells give to what Ctrl-C ended
SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")  # in which MPICH and Open MPI tell a process how many they started


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, stage in STAGES.items():
        stage_parser = commands.add_parser(name, help=stage.__doc__, description=stage.__doc__)
        if name == "train":
            stage_parser.add_argument(
                "--distributed",
                action="store_true",
                help="each process that mpirun starts takes its part of a batch: mpirun -n 2 python -m trainer train …",
            )
    commands.add_parser(
        "watch", help="publish what the pipeline makes; where nothing is live yet, run it", description=watch.__doc__
    )
    models_command.add_arguments(
        commands.add_parser("models", help="list, promote, rollback: what is live", description=models_command.__doc__)
    )
    feedback_command.add_arguments(
        commands.add_parser("feedback", help="review, accept, reject, erase feedback", description=feedback_command.__doc__)
    )
    chosen = parser.parse_args(arguments)

    try:
        # Training brings its own threads, and one BLAS thread adds in the same order on every machine.
        with threadpool_limits(1, user_api="blas"):
            return {"watch": _watch, "models": _models, "feedback": _feedback}.get(chosen.command, _run)(chosen)
    except (FetchError, PredictionLogError, ValueError, OSError) as error:  # what is wrong with data or models is a ValueError
        log.error("%s", error)
        return 1


def _run(arguments):
    _log_plainly()
    try:
        # Like Compose and `make run`, which read .env themselves: what it says of ports holds for the stages too.
        variables = {**dotenv_values(".env"), **os.environ}
        workspace, signals = Workspace.from_environment(variables), StopSignals(STOPPED)
        if getattr(arguments, "distributed", False):
            run_distributed_train(workspace, signals)
        elif any(os.environ.get(name, "1") != "1" for name in SIZES):
            raise ValueError("mpirun started several of these, and each would do the whole: there is train --distributed")
        else:
            run_stage(arguments.command, workspace, signals)
    except Stopped as stop:
        log.warning("%s", stop)
        return STOPPED
    return 0


def _models(arguments):
    _log_plainly()
    models_command.run(arguments, _store(Environment(os.environ)))
    return 0


def _feedback(arguments):
    _log_plainly()
    environment, workspace = Environment(os.environ), Workspace.from_environment(os.environ)
    prediction_log = open_prediction_log(environment.url("DOODLE_JOURNAL", "sqlite:///state/journal.sqlite", open_prediction_log))
    try:
        feedback_command.run(arguments, prediction_log, _a_model(environment, workspace), workspace.feedback)
    finally:
        prediction_log.close()
    return 0


def _a_model(environment, workspace):
    """The workspace's model, or the one that came with the stack."""
    return workspace.model if workspace.model.exists() else _artifacts(environment) / "model"


def _artifacts(environment):
    return Path(environment.text("DOODLE_ARTIFACTS", "artifacts"))


def _log_plainly():
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)


def _store(environment):
    return open_models(environment.url("DOODLE_MODELS", "state/models", open_models))


def _watch(_):
    """A service: its log is structured, and being told to stop is no failure."""
    log_to_stdout()
    environment = Environment(os.environ)
    live_file = environment.text("DOODLE_LIVE_FILE", "")
    try:
        watch(
            _artifacts(environment),
            Workspace.from_environment(os.environ),
            _store(environment),
            StopSignals(0),
            Path(live_file) if live_file else None,
        )
    except Stopped as stop:
        log.info("%s", stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
