"""The model in service: validated before it answers anyone, replaced when a new one is there, kept when that one is bad."""

import asyncio
import json
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
from digitnet.checkpoint import CARD_FILE, WEIGHTS_FILE, CheckpointError, load
from digitnet.network import Network

from inference.metrics import Metrics

log = logging.getLogger(__name__)


class NoModelError(Exception):
    """There is no model yet."""


class Reading(NamedTuple):
    """What the network makes of one picture."""

    digit: int
    probabilities: np.ndarray  # float32 (10,)


class Model(NamedTuple):
    """A network and its card. Never changed once made: a request keeps the one that it began with."""

    network: Network
    card: dict

    @property
    def version(self) -> str:
        return self.card["version"]

    def read(self, picture: np.ndarray) -> Reading:
        """float32 (28, 28) in [0, 1] -> the likeliest digit and all probabilities."""
        probabilities = self.network.predict(picture[None])[0]
        return Reading(int(probabilities.argmax()), probabilities)


class ModelSource:
    """Follows the model folder. `model` is the newest valid model that was there."""

    def __init__(self, folder: Path, metrics: Metrics):
        self.folder, self._metrics = folder, metrics
        self._model: Model | None = None
        self._settled = self._doubtful = None  # the files, as last looked at: taken or refused for good; refused once

    @property
    def model(self) -> Model:
        if self._model is None:
            raise NoModelError(
                f"there is no model in {self.folder} yet: train one (`make run` does), and this service picks it up"
            )
        return self._model

    def refresh(self) -> None:
        """Load the model if its files are others than when last looked at. A bad one is refused, and said so once."""
        try:
            files = [(self.folder / name).stat() for name in (WEIGHTS_FILE, CARD_FILE)]
        except OSError:
            return  # none there, or one being replaced: what is loaded stays
        seen = [(file.st_ino, file.st_size, file.st_mtime_ns) for file in files]
        if seen == self._settled:
            return
        try:
            network, card = load(self.folder)
        except CheckpointError as error:
            if seen != self._doubtful:  # perhaps it is being written: look once more before saying anything
                self._doubtful = seen
                return
            self._settled = seen
            self._metrics.model_loads.labels("refused").inc()
            kept = self._model.version if self._model else "none"
            log.error("event=model_refused kept=%s reason=%s", kept, json.dumps(str(error)))
            return
        self._settled = seen
        self._model = Model(network, card)
        self._metrics.model_loads.labels("loaded").inc()
        self._metrics.show_model(card["version"])
        log.info("event=model_loaded version=%s", card["version"])

    async def follow(self, seconds: float) -> None:
        """Refresh for ever, every so many seconds, without holding up requests."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # whatever it was, the model in service goes on and the next look may do better
                log.exception("event=model_check_failed")
