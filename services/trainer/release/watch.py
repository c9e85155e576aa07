"""watch: the trainer of a running stack. It sees to it that a model is live, and shows that one is."""

import json
import logging
import time

from digitnet.checkpoint import copy
from stores.models import ModelStore, StoreError

from trainer.release.registry import seed
from trainer.stages import MAKING, run_stage
from trainer.workspace import Workspace

log = logging.getLogger(__name__)

POLL_INTERVAL, RETRY_INTERVAL = 1.0, 5.0


def watch(workspace: Workspace, models: ModelStore) -> None:
    """See to it that a model is live: seed an empty store with artifacts/model or, without one, run the pipeline.

    Never returns. Touches DOODLE_LIVE_FILE each second while a model is live. The image's health check reads the time
    of that file, because the SDK of an object store takes a second to start.
    """
    live, live_file = seed(models, workspace.seeds), workspace.settings.live_file
    if live is None:
        log.info("event=no_model in=%s making=one", ",".join(map(str, workspace.seeds)))
        for name in MAKING:
            log.info("event=stage name=%s", name)
            run_stage(name, workspace)
        copy(workspace.candidate, workspace.model)  # evaluate has measured it, and no server can test it yet
        live = seed(models, [workspace.model])
    log.info("event=watching models=%s live=%s", models, live)
    while True:
        try:
            live = seed(models, workspace.seeds)  # nothing is live if somebody has emptied the store
            if live is not None and live_file is not None:
                live_file.touch()
        except (StoreError, OSError) as error:
            log.debug("event=live_not_shown reason=%s", json.dumps(str(error)))
        time.sleep(POLL_INTERVAL if live is not None else RETRY_INTERVAL)
