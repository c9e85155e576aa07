"""watch: the trainer of a running stack. Sees to it that there is a model, and publishes what the pipeline makes from then on."""

import json
import logging
import time
from pathlib import Path

from digitnet.checkpoint import copy
from stores.models import LIVE, ModelStore, StoreError

from trainer.release.publish import publishers
from trainer.stages import MAKING, run_stage
from trainer.stop_signals import StopSignals
from trainer.workspace import MODEL, Workspace

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


def watch(artifacts: Path, workspace: Workspace, models: ModelStore, signals: StopSignals, live_file: Path | None = None) -> None:
    """Publish the released model of `artifacts`, or of the workspace, where there is one; where nothing is live yet, make one.

    Then, for ever: publish what appears in either place. Stopped is raised where training was told to stop. `live_file` is
    touched by each look that finds that something is live.
    """
    following = [each for folder in dict.fromkeys((artifacts, workspace.artifacts)) for each in publishers(folder, models)]
    _look(following)
    if models.alias(LIVE) is None:
        time.sleep(LOOK_SECONDS)  # one may be half written
        _look(following)
    if models.alias(LIVE) is None:
        log.info("event=no_model in=%s making=one", artifacts / MODEL)
        for name in MAKING:
            log.info("event=stage name=%s", name)
            run_stage(name, workspace, signals)
        # Evaluate has measured it, and there is nobody yet who could serve it to a test, nor anything better.
        copy(workspace.candidate, workspace.model)
        _look(following)
    log.info("event=watching folders=%s live=%s", ",".join(map(str, (artifacts, workspace.artifacts))), models.alias(LIVE))
    while True:
        _show_live(models, live_file)
        time.sleep(LOOK_SECONDS)
        _look(following)


def _show_live(models, live_file):
    """For the image's health check, every two seconds: to ask the store itself would take it a second of Python and SDK.

    A file that gets old says that nothing is live, that the store cannot be asked, or that this process hangs.
    """
    if live_file is None:
        return
    try:
        if models.alias(LIVE) is not None:
            live_file.touch()
    except (StoreError, OSError) as error:
        log.debug("event=live_not_shown reason=%s", json.dumps(str(error)))


def _look(following):
    for publisher in following:
        publisher.look()
