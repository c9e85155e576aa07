"""watch: the trainer of a running stack. Sees to it that there is a model, and publishes what the pipeline makes from then on."""

import logging
import time
from pathlib import Path

from stores.models import LIVE, ModelStore

from trainer.publish import Publisher
from trainer.stages import STAGES, run_stage
from trainer.stop_signals import StopSignals
from trainer.workspace import Workspace

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


def watch(artifacts: Path, workspace: Workspace, models: ModelStore, signals: StopSignals) -> None:
    """Publish the model of `artifacts`, or of the workspace, where there is one; where nothing is live yet, make one.

    Then, for ever: publish what appears in either place. Stopped is raised where training was told to stop.
    """
    publishers = [Publisher(folder, models) for folder in dict.fromkeys((artifacts / "model", workspace.model))]
    _look(publishers)
    if models.pointer(LIVE) is None:
        time.sleep(LOOK_SECONDS)  # one may be half written
        _look(publishers)
    if models.pointer(LIVE) is None:
        log.info("event=no_model in=%s making=one", artifacts / "model")
        for name in STAGES:
            log.info("event=stage name=%s", name)
            run_stage(name, workspace, signals)
        _look(publishers)
    log.info("event=watching folders=%s live=%s", ",".join(map(str, (artifacts, workspace.artifacts))), models.pointer(LIVE))
    while True:
        time.sleep(LOOK_SECONDS)
        _look(publishers)


def _look(publishers):
    for publisher in publishers:
        publisher.look()
