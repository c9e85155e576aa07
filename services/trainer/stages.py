"""The pipeline's stages, each run on a workspace. dvc.yaml calls them one by one, `watch` in a row if no model exists."""

import json
import logging
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from digitnet.checkpoint import copy, load_card, write_atomically
from stores.models import ModelStore, StoreError, UnreachableError

from trainer.data.corrupt import corrupt
from trainer.data.fetch import SourceError, fetch, keep_in_dvc_cache, read_pins
from trainer.data.preprocess import preprocess
from trainer.data.synthesize import synthesize
from trainer.evaluation.evaluate import evaluate
from trainer.feedback.decisions import Decisions
from trainer.release.api import Api
from trainer.release.candidate import end, serve, withdrawn_on_failure
from trainer.release.registry import Registry, find_registry, seed
from trainer.release.repair import LiveCheck
from trainer.release.staging_server import StagingServer
from trainer.release.test import examine
from trainer.settings import EvaluateSettings, PreprocessSettings, ReleaseTestSettings, SynthesizeSettings, TrainSettings
from trainer.training.ranks import OneRank, ranks_of_mpi
from trainer.training.train import train
from trainer.workspace import MNIST_PIN, Workspace

log = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
POLL_INTERVAL, RETRY_INTERVAL = 1.0, 5.0  # seconds, of watch


def run_fetch(workspace: Workspace) -> None:
    """download MNIST's four files into mnist/, from the first source that has them"""
    pins = read_pins(MNIST_PIN)
    fetch(workspace.mnist, pins)
    write_atomically(workspace.fetched, (json.dumps(pins, indent=2) + "\n").encode())
    with suppress(SourceError):  # the stack's images have no DVC
        keep_in_dvc_cache(workspace.mnist, pins)


def run_preprocess(workspace: Workspace) -> None:
    """normalize MNIST's digits and accepted user drawings to the images that the network reads"""
    preprocess(PreprocessSettings.read(), workspace.mnist, MNIST_PIN, Decisions(workspace.feedback), workspace.digits)


def run_synthesize(workspace: Workspace) -> None:
    """write synthetic digits in styles that MNIST lacks, and non-digits"""
    synthesize(SynthesizeSettings.read(), workspace.synthetic)


def run_corrupt(workspace: Workspace) -> None:
    """rotate, shift, resize and redraw test digits, to measure robustness"""
    corrupt(workspace.digits, workspace.synthetic, workspace.corrupted)


def run_train(workspace: Workspace, ranks: OneRank) -> None:
    """train the network of params.yaml; a stopped training resumes"""
    experiment = ranks.assert_same_on_all_ranks("params.yaml", TrainSettings.read, repr)
    results = workspace.trained, workspace.history, workspace.unfinished, workspace.progress
    card = train(experiment, workspace.digits, workspace.synthetic, *results, ranks)
    log.info("trained version %s in %.0f s", card["version"], card["training"]["seconds"])


def run_evaluate(workspace: Workspace) -> None:
    """measure the trained network on the test digits, and write artifacts/candidate"""
    data = workspace.digits, workspace.synthetic, workspace.corrupted
    results = workspace.candidate, workspace.artifacts
    metrics = evaluate(*data, workspace.trained, *results, EvaluateSettings.read().rejected_digits)
    log.info("accuracy on the %d test digits: %.2f%%", metrics["test_pictures"], 100 * metrics["accuracy"])


def run_serve(workspace: Workspace) -> None:
    """publish the candidate; the running stack serves it, or a staging server if no stack runs"""
    workspace.test_result.unlink(missing_ok=True)  # of an earlier candidate
    registry, stack, staging = _release(workspace)
    staging.stop()  # it may run older code
    with withdrawn_on_failure(registry, staging):
        serve(registry, stack, staging, workspace.candidate)
    version = load_card(workspace.candidate)["version"]
    write_atomically(workspace.served, (json.dumps({"version": version}) + "\n").encode())


def run_test(workspace: Workspace) -> None:
    """test the candidate over HTTP, and compare it with the live model"""
    workspace.test_result.unlink(missing_ok=True)  # as dvc does
    limits, (registry, stack, staging) = ReleaseTestSettings.read(), _release(workspace)
    with withdrawn_on_failure(registry, staging):
        # dvc skips serve if only the test changed, and fetch if data/mnist.json exists.
        api = serve(registry, stack, staging, workspace.candidate)
        fetch(workspace.mnist, read_pins(MNIST_PIN))
        result = examine(limits, api, workspace.candidate, workspace.mnist, workspace.synthetic, workspace.test_result)
    log.info("%s passed; accuracy on MNIST's test digits: %.2f%%", result["version"], 100 * result["mnist"]["accuracy"])


def run_end(workspace: Workspace) -> None:
    """promote the tested candidate, and stop the staging server"""
    end(*_release(workspace), workspace.candidate, workspace.test_result, workspace.model)


def _release(workspace: Workspace) -> tuple[Registry, Api, StagingServer]:
    registry = find_registry(workspace.settings.models, workspace.settings.workspace, workspace.seeds)
    return registry, workspace.settings.stack, StagingServer(workspace.staging)


STAGES: dict[str, Callable[..., None]] = {
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
STAGES_TO_CANDIDATE = ("fetch", "preprocess", "synthesize", "corrupt", "train", "evaluate")


def run_stage(name: str, workspace: Workspace, distributed: bool = False) -> None:
    """Run a stage and record its outcome. Stopped if training was asked to stop; it can resume."""
    if name != "train":
        with recorded(name, workspace.stages):
            STAGES[name](workspace)
        return
    with (
        signals_noted() as stop_requested,
        ranks_of_mpi(stop_requested) if distributed else nullcontext(OneRank(stop_requested)) as ranks,
        recorded(name, workspace.stages) if ranks.rank == 0 else nullcontext(),
    ):
        run_train(workspace, ranks)


@contextmanager
def recorded(name: str, file: Path) -> Iterator[None]:
    """Record the end, duration and success of a stage, also if it fails."""
    began, succeeded = time.monotonic(), False
    try:
        yield
        succeeded = True
    finally:
        ended = {"finished_at": time.time(), "seconds": time.monotonic() - began, "succeeded": succeeded}
        stages = {}
        with suppress(OSError, ValueError):  # no stage reads the file
            stages = json.loads(file.read_bytes())
        write_atomically(file, json.dumps(stages | {name: ended}, indent=2).encode())


@contextmanager
def signals_noted() -> Iterator[Callable[[], bool]]:
    """Delay stop signals until the block ends. Yield a function that returns whether one has arrived."""
    noted: list[int] = []
    handlers = {number: signal.signal(number, lambda number, _: noted.append(number)) for number in STOP_SIGNALS}
    try:
        yield lambda: bool(noted)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if noted:
        signal.raise_signal(noted[0])


def watch(workspace: Workspace, models: ModelStore) -> None:
    """Keep a model live: seed an empty store with artifacts/model or, without one, run the pipeline.

    Never returns. Repairs a damaged live model. Touches two files each second while a sound model is live: DOODLE_LIVE_FILE for
    the container's health check, and the heartbeat for the exporter.
    """
    live_check = LiveCheck(models, workspace.seeds)
    live_files = [file for file in (workspace.settings.live_file, workspace.heartbeat) if file is not None]
    workspace.artifacts.mkdir(parents=True, exist_ok=True)
    try:
        live = seed(models, workspace.seeds)
    except UnreachableError:
        raise
    except StoreError:  # a damaged alias, which the check below repairs
        live = ""
    if live is None:
        log.info("event=no_model in=%s making=one", ",".join(map(str, workspace.seeds)))
        for name in STAGES_TO_CANDIDATE:
            log.info("event=stage name=%s", name)
            run_stage(name, workspace)
        copy(workspace.candidate, workspace.model)  # without the stage test: no server runs yet
        live = seed(models, [workspace.model])
    log.info("event=watching models=%s live=%s", models, live)
    while True:
        try:
            live_check.check()
            live = seed(models, workspace.seeds)  # an operator may have emptied the store
            for file in live_files if live is not None else ():
                file.touch()
        except (StoreError, OSError) as error:
            log.debug("event=live_not_shown reason=%s", json.dumps(str(error)))
        time.sleep(POLL_INTERVAL if live is not None else RETRY_INTERVAL)
