"""serve: publish the candidate, and have a server answer with it, beside the live model, to requests for the candidate alone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitnet.checkpoint import load_card
from stores.models import CANDIDATE, StoreError

from trainer.release.api import Api
from trainer.release.registry import Registry
from trainer.release.staging_server import StagingError, StagingServer

log = logging.getLogger(__name__)


def serve(registry: Registry, stack: Api, staging: StagingServer, candidate: Path) -> Api:
    """Publish the model of the folder `candidate`, and return the server that has it as its candidate.

    That is the staging server if it runs, or the running stack if it follows the registry, or a new staging server.
    """
    version = load_card(candidate)["version"]
    registry.publish(candidate, CANDIDATE)
    running = staging.api
    if running is not None and running.takes_up(CANDIDATE, version):
        return running
    if stack.is_up and stack.takes_up(CANDIDATE, version):
        log.info("%s is the candidate of %s", version, stack.url)
        return stack
    problem = f"no service at {stack.url} has taken up {version}"
    if registry.models is None:
        raise StagingError(f"{problem}: see docker compose ps; DOODLE_API_URL can name another address of the API")
    log.info("%s; a staging server is started", problem)
    api = staging.start(registry.models)
    if not api.takes_up(CANDIDATE, version):
        raise StagingError(f"the staging server has not taken up {version}")
    log.info("%s is the candidate of the staging server, %s", version, api.url)
    return api


@contextmanager
def withdrawn_on_failure(registry: Registry, staging: StagingServer) -> Iterator[None]:
    """Take the candidate down if the block fails: dvc does not run `end` then. What is live stays."""
    try:
        yield
    except BaseException:
        staging.stop()
        with suppress(StoreError):  # the failure itself says more
            registry.clear_candidate()
        raise
