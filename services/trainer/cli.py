"""The trainer's command line: one command for each pipeline stage, and three more. Run it in the project's top folder."""

import argparse
import logging
import os
import sys
from contextlib import closing
from pathlib import Path

from deployment.process import end_when_told_to, log_to_stdout
from deployment.settings import read_settings
from stores.models import open_models
from stores.prediction_log import PredictionLogError, open_prediction_log
from threadpoolctl import threadpool_limits

from trainer.data.fetch import FetchError
from trainer.feedback import command as feedback_command
from trainer.release import models_command
from trainer.release.registry import DEFAULT_MODELS
from trainer.stages import STAGES, run_stage, watch
from trainer.training.train import Stopped
from trainer.workspace import TrainerSettings, Workspace

log = logging.getLogger("trainer")

STOPPED = 130  # a shell's exit code after Ctrl-C
MPI_SIZES = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")  # MPICH and Open MPI give the number of processes here


def main(arguments: list[str] | None = None) -> int:
    chosen = _parser().parse_args(arguments)
    is_service = chosen.command == "watch"
    if is_service:
        log_to_stdout()
    else:
        logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    code_if_stopped = 0 if is_service else STOPPED
    end_when_told_to(code_if_stopped)
    try:
        # Compose and `make run` read .env, and the stages must use the same ports.
        workspace = Workspace(read_settings(TrainerSettings, _env_file=".env"))
        # Training has its own threads, and one BLAS thread adds in the same order on every machine.
        with threadpool_limits(1, user_api="blas"):
            _run(chosen, workspace)
    except Stopped as stop:
        log.warning("%s", stop)
        return code_if_stopped
    except (FetchError, PredictionLogError, ValueError, OSError) as error:  # a fault of data or models is a ValueError
        log.error("%s", error)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="trainer", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, stage in STAGES.items():
        commands.add_parser(name, help=stage.__doc__, description=stage.__doc__).set_defaults(distributed=False)
    commands.choices["train"].add_argument(
        "--distributed",
        action="store_true",
        help="train on all processes that mpirun starts: mpirun -n 2 python -m trainer train --distributed",
    )
    commands.add_parser("watch", help="make a model live if none is, then keep checking", description=watch.__doc__)
    models_command.add_arguments(
        commands.add_parser("models", help="list, publish, promote or roll back models", description=models_command.__doc__)
    )
    feedback_command.add_arguments(
        commands.add_parser("feedback", help="review, accept, reject or erase feedback", description=feedback_command.__doc__)
    )
    return parser


def _run(chosen: argparse.Namespace, workspace: Workspace) -> None:
    models = open_models(workspace.settings.models or DEFAULT_MODELS)
    if chosen.command == "watch":
        watch(workspace, models)
    elif chosen.command == "models":
        models_command.run(chosen, models)
    elif chosen.command == "feedback":
        model = next(filter(Path.exists, workspace.seeds), workspace.model)
        with closing(open_prediction_log(workspace.settings.prediction_log)) as prediction_log:
            feedback_command.run(chosen, prediction_log, model, workspace.feedback)
    elif not chosen.distributed and any(os.environ.get(name, "1") != "1" for name in MPI_SIZES):
        raise ValueError(
            "mpirun started several processes, and each would do all the work: use `train --distributed`, or start one process"
        )
    else:
        run_stage(chosen.command, workspace, chosen.distributed)
