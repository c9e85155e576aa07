"""From the folder where the pipeline leaves its model into the model store, from which it is served."""

import json
import logging
from pathlib import Path

from digitnet.checkpoint import CARD_FILE, WEIGHTS_FILE, CheckpointError, load_card
from stores.models import LIVE, ModelStore, StoreError

log = logging.getLogger(__name__)


class Publisher:
    """Follows a model folder: what appears there is published, and is live from then on."""

    def __init__(self, folder: Path, models: ModelStore):
        self._folder, self._models = folder, models
        self._done: object = None  # the files as last published
        self._doubtful: object = None  # the files that were refused at the last look
        self._said = ""

    def look(self) -> None:
        """Publish the folder's model if it has changed. What goes wrong is logged once, and tried again at the next look.

        It becomes live if it was made after the live pointer was last moved. So a restart does not undo a choice of an
        older version that somebody made since.
        """
        try:
            files = [(self._folder / name).stat() for name in (WEIGHTS_FILE, CARD_FILE)]
        except OSError:
            return  # none there, or one being replaced
        seen = [(file.st_ino, file.st_size, file.st_mtime_ns) for file in files]
        if seen == self._done:
            return
        try:
            version = self._published()
            if self._models.pointer(LIVE) is None or files[-1].st_mtime > self._models.pointer_time(LIVE):
                self._models.promote(version)
                log.info("event=model_published version=%s from=%s", version, self._folder)
        except (StoreError, CheckpointError) as error:
            self._complain(seen, str(error))
        else:
            self._done, self._said = seen, ""

    def _published(self):
        """The version of the folder's model, which is in the store from now on."""
        card = load_card(self._folder)
        try:
            if self._models.load(card["version"])[1] == card:
                return card["version"]
        except StoreError:
            pass  # not there yet, or damaged there
        return self._models.publish(self._folder)["version"]

    def _complain(self, seen, reason):
        # Between the two files of a model that is just being written the first look finds a bad one: that is no news.
        if seen == self._doubtful and reason != self._said:
            self._said = reason
            log.error("event=model_not_published from=%s reason=%s", self._folder, json.dumps(reason))
        self._doubtful = seen
