"""end: make the tested candidate the released model, artifacts/model, and end what serve started, whatever became of the test.

A stack that is in reach has it live within seconds; any other begins with it.
"""

import logging
from pathlib import Path

from digitnet.checkpoint import copy, load
from stores.models import CANDIDATE, LIVE

from trainer.release.api import Api
from trainer.release.result import read_result
from trainer.release.staging_server import OwnService, until

log = logging.getLogger(__name__)


class NotReleasedError(ValueError):
    """The candidate is not what is live now; the message says why."""


def end(stack: Api, own: OwnService, candidate: Path, result_file: Path, model: Path) -> None:
    """Release the model in the folder `candidate` into the folder `model`, if the test's result is that it passed.

    NotReleasedError if it did not, and if a stack that follows these folders does not make it live.
    """
    try:
        _, card = load(candidate)
        version = card["version"]
        _require_passed(result_file, version)
        follows = any(stack.serves(alias, version, times=1) for alias in (CANDIDATE, LIVE))
        copy(candidate, model)  # its card goes last: until then the old one goes on
        if not follows:
            log.info("%s is released; no stack in reach follows this folder", version)
        elif until(lambda: stack.serves(LIVE, version)):
            log.info("%s is live at %s", version, stack.url)
        else:
            raise NotReleasedError(f"{version} is in {model}, but {stack.url} does not make it live: its trainer's log says why")
    finally:
        own.stop()


def _require_passed(result_file, version):
    try:
        result = read_result(result_file)
    except FileNotFoundError as error:
        raise NotReleasedError(f"{version} has not been tested: run dvc repro") from error
    if result.version != version:
        raise NotReleasedError(f"{version} has not been tested, {result_file} is that of {result.version}: run dvc repro")
    if not result.passed:
        raise NotReleasedError(f"{version} was refused: {'; '.join(result.problems)}")
