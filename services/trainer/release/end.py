"""end: promote the candidate that passed its test, keep it in artifacts/model for Git, and stop what serve started."""

import json
import logging
from pathlib import Path
from typing import Any

from digitnet.checkpoint import copy, load_card, read_file
from stores.models import CANDIDATE, LIVE

from trainer.release.api import Api
from trainer.release.registry import Registry
from trainer.release.staging_server import StagingServer

log = logging.getLogger(__name__)

MAX_RESULT_BYTES = 2**20
HOW_LATER = "docker compose exec trainer python -m trainer models publish /artifacts/model --promote"


class NotReleasedError(ValueError):
    """The candidate is not live; the message says why."""


def end(registry: Registry, stack: Api, staging: StagingServer, candidate: Path, result_file: Path, model: Path) -> None:
    """Release the model of the folder `candidate`, and copy it to the folder `model`. NotReleasedError if its test did not pass,
    or if the stack that served it does not make it live."""
    try:
        version = load_card(candidate)["version"]
        _require_passed(result_file, version)
        follows = any(stack.serves(alias, version, times=1) for alias in (CANDIDATE, LIVE))
        registry.publish(candidate, LIVE)
        copy(candidate, model)
        if not follows:
            log.info("%s is released; no running stack follows its store. Where one was down: %s", version, HOW_LATER)
        elif stack.takes_up(LIVE, version):
            log.info("%s is live at %s", version, stack.url)
        else:
            raise NotReleasedError(f"{version} is released, but {stack.url} does not serve it: its log says why")
    finally:
        staging.stop()


def _require_passed(result_file: Path, version: str) -> None:
    try:
        result: dict[str, Any] = json.loads(read_file(result_file, MAX_RESULT_BYTES))
        tested, passed, problems = result["version"], result["passed"] is True, "; ".join(result["problems"])
    except FileNotFoundError as error:
        raise NotReleasedError(f"{version} has not been tested: run dvc repro") from error
    except (ValueError, TypeError, LookupError) as error:
        raise NotReleasedError(f"{result_file} is damaged or foreign ({error}): run dvc repro") from error
    if tested != version:
        raise NotReleasedError(f"{version} has not been tested, {result_file} is that of {tested}: run dvc repro")
    if not passed:
        raise NotReleasedError(f"{version} was refused: {problems}")
