"""The pipeline's stages, each run on a workspace: what dvc.yaml calls one by one, and the stack's trainer in a row."""

import json
import logging
from collections.abc import Callable
from contextlib import nullcontext

from digitnet.checkpoint import load_card, write_atomically

from trainer import settings
from trainer.data.corrupt import corrupt
from trainer.data.fetch import SourceError, fetch, keep_in_dvc_cache, read_pins
from trainer.data.preprocess import preprocess
from trainer.data.synthesize import synthesize
from trainer.evaluation.evaluate import evaluate
from trainer.feedback.decisions import Decisions
from trainer.release.api import Api
from trainer.release.end import end
from trainer.release.registry import Registry, find_registry
from trainer.release.serve import serve, withdrawn_on_failure
from trainer.release.staging_server import StagingServer
from trainer.release.test import examine
from trainer.stop_signals import signals_noted
from trainer.training.progress import recorded
from trainer.training.ranks import ONE_RANK, OneRank, ranks_of_mpi
from trainer.training.train import train
from trainer.workspace import MNIST_PIN, Workspace

log = logging.getLogger(__name__)


def run_fetch(workspace: Workspace) -> None:
    """fill mnist/ with MNIST's four files, from the first source that has them"""
    pins = read_pins(MNIST_PIN)
    source = fetch(workspace.mnist, pins)
    write_atomically(workspace.fetched, (json.dumps(pins, indent=2) + "\n").encode())
    log.info("MNIST is in %s/ (%s)", workspace.mnist, source)
    try:
        keep_in_dvc_cache(workspace.mnist, pins)
    except SourceError as error:  # as in the stack, whose images are without DVC
        log.debug("DVC does not keep it: %s", error)


def run_preprocess(workspace: Workspace) -> None:
    """turn them, and drawings of users that were accepted, into the images that the network reads"""
    preprocess(settings.read_preprocess_settings(), workspace.mnist, MNIST_PIN, Decisions(workspace.feedback), workspace.digits)


def run_synthesize(workspace: Workspace) -> None:
    """write digits in styles that MNIST lacks, and things that are no digits"""
    synthesize(settings.read_synthesize_settings(), workspace.synthetic)


def run_corrupt(workspace: Workspace) -> None:
    """turn, move and redraw test digits, to measure how robust a network is"""
    corrupt(workspace.digits, workspace.synthetic, workspace.corrupted)


def run_train(workspace: Workspace, stop_requested: Callable[[], bool] = lambda: False, ranks: OneRank = ONE_RANK) -> None:
    """train the network of params.yaml; goes on where a stopped training was"""
    experiment = ranks.assert_same_on_all_ranks("params.yaml", settings.read_train_settings, repr)
    results = workspace.trained, workspace.history, workspace.unfinished, workspace.progress
    card = train(experiment, workspace.digits, workspace.synthetic, *results, stop_requested, ranks)
    log.info("trained version %s in %.0f s", card["version"], card["training"]["seconds"])


def run_evaluate(workspace: Workspace) -> None:
    """measure it on the test digits and write artifacts/candidate"""
    data = workspace.digits, workspace.synthetic, workspace.corrupted
    results = workspace.candidate, workspace.artifacts
    metrics = evaluate(*data, workspace.trained, *results, settings.read_rejected_digits())
    log.info("reads %.2f%% of the %d test digits right", 100 * metrics["accuracy"], metrics["test_pictures"])


def run_serve(workspace: Workspace) -> None:
    """publish it as the candidate, and serve it: by the running stack, or by a staging server"""
    workspace.test_result.unlink(missing_ok=True)  # what an earlier test said no longer holds
    registry, stack, staging = _release(workspace)
    staging.stop()  # it may run older code
    with withdrawn_on_failure(registry, staging):
        serve(registry, stack, staging, workspace.candidate)
    version = load_card(workspace.candidate)["version"]
    write_atomically(workspace.served, (json.dumps({"version": version}) + "\n").encode())


def run_test(workspace: Workspace) -> None:
    """test the candidate over HTTP, and compare it with what is live"""
    workspace.test_result.unlink(missing_ok=True)  # as dvc does
    limits, (registry, stack, staging) = settings.read_test_settings(), _release(workspace)
    with withdrawn_on_failure(registry, staging):
        # dvc does not run serve again if only the test has changed, nor fetch if data/mnist.json is there.
        api = serve(registry, stack, staging, workspace.candidate)
        fetch(workspace.mnist, read_pins(MNIST_PIN))
        result = examine(limits, api, workspace.candidate, workspace.mnist, workspace.synthetic, workspace.test_result)
    log.info("%s passed: it reads %.2f%% of MNIST's test digits right", result["version"], 100 * result["mnist"]["accuracy"])


def run_end(workspace: Workspace) -> None:
    """promote the tested candidate, and stop what serve started"""
    end(*_release(workspace), workspace.candidate, workspace.test_result, workspace.model)


def _release(workspace: Workspace) -> tuple[Registry, Api, StagingServer]:
    """Return what decides what is live, what serves it, and what serves a candidate where no stack does."""
    registry = find_registry(workspace.settings.models, workspace.settings.workspace, workspace.seeds)
    return registry, workspace.settings.stack, StagingServer(workspace.staging)


STAGES: dict[str, Callable[[Workspace], None]] = {
    "fetch": run_fetch,
    "preprocess": run_preprocess,
    "synthesize": run_synthesize,
    "corrupt": run_corrupt,
    "train": run_train,
    "evaluate": run_evaluate,
    "serve": run_serve,
    "test": run_test,
    "end": run_end,
}
MAKING = ("fetch", "preprocess", "synthesize", "corrupt", "train", "evaluate")  # a candidate


def run_stage(name: str, workspace: Workspace) -> None:
    """Run a stage, and write down how it went. Training that is told to stop leaves what it needs to go on (Stopped)."""
    with recorded(name, workspace.stages):
        if name == "train":
            with signals_noted() as stop_requested:
                run_train(workspace, stop_requested)
        else:
            STAGES[name](workspace)


def run_distributed_train(workspace: Workspace) -> None:
    """Run the stage train on all processes that mpirun started. The first one writes down how it went."""
    with (
        signals_noted() as stop_requested,
        ranks_of_mpi(stop_requested) as ranks,
        recorded("train", workspace.stages) if ranks.rank == 0 else nullcontext(),
    ):
        run_train(workspace, ranks.stop_requested, ranks)
