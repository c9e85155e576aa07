"""serve and end: serve a candidate beside the live model, under its own path; promote it after its test."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitnet.checkpoint import copy, load_card
from stores.models import CANDIDATE, LIVE, StoreError

from trainer.release.api import Api, ReleaseError
from trainer.release.registry import Registry
from trainer.release.staging_server import StagingServer

log = logging.getLogger(__name__)

HOW_LATER = "docker compose exec trainer python -m trainer models publish /artifacts/model --promote"


def serve(registry: Registry, stack: Api, staging: StagingServer, candidate: Path) -> Api:
    """Publish the model in the folder `candidate`, and return a server that serves it as its candidate.

    The server is the staging server if it runs, else the running stack if it follows the registry, else a new staging server.
    """
    version = load_card(candidate)["version"]
    registry.publish(candidate, CANDIDATE)
    running = staging.api
    if running is not None and running.takes_up(CANDIDATE, version):
        return running
    if stack.is_up and stack.takes_up(CANDIDATE, version):
        log.info("%s is the candidate of %s", version, stack.url)
        return stack
    problem = f"no service at {stack.url} has loaded {version}"
    if registry.models is None:
        raise ReleaseError(f"{problem}: check docker compose ps, or set DOODLE_API_URL to the API's address")
    log.info("%s; starting a staging server", problem)
    api = staging.start(registry.models)
    if not api.takes_up(CANDIDATE, version):
        raise ReleaseError(f"the staging server has not loaded {version}")
    log.info("%s is the candidate of the staging server, %s", version, api.url)
    return api


@contextmanager
def withdrawn_on_failure(registry: Registry, staging: StagingServer) -> Iterator[None]:
    """Withdraw the candidate if the block fails, because dvc does not run `end` then. The live model stays."""
    try:
        yield
    except BaseException:
        staging.stop()
        with suppress(StoreError):  # the block's error matters more
            registry.clear_candidate()
        raise


def end(registry: Registry, stack: Api, staging: StagingServer, candidate: Path, result_file: Path, model: Path) -> None:
    """Promote the model in the folder `candidate`, and copy it to the folder `model`, for Git.

    ReleaseError if its test did not pass, or if the stack does not load it.
    """
    try:
        version = load_card(candidate)["version"]
        _require_passed(result_file, version)
        follows = any(stack.serves(alias, version, times=1) for alias in (CANDIDATE, LIVE))
        registry.publish(candidate, LIVE)
        copy(candidate, model)
        if not follows:
            log.info("%s is released, but no running stack follows its store. For a stack that was down: %s", version, HOW_LATER)
        elif stack.takes_up(LIVE, version):
            log.info("%s is live at %s", version, stack.url)
        else:
            raise ReleaseError(f"{version} is released, but {stack.url} does not serve it: read its log")
    finally:
        staging.stop()


def _require_passed(result_file: Path, version: str) -> None:
    try:
        result = json.loads(result_file.read_bytes())
        tested, passed, problems = result["version"], result["passed"], "; ".join(result["problems"])
    except FileNotFoundError as error:
        raise ReleaseError(f"{version} has not been tested: run dvc repro") from error
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise ReleaseError(f"{result_file} has no result of the test of {version} ({error}): run dvc repro") from error
    if tested != version:
        raise ReleaseError(f"{version} has not been tested; {result_file} is the result of {tested}: run dvc repro")
    if not passed:
        raise ReleaseError(f"{version} was rejected: {problems}")
