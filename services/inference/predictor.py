"""The model in service: its predictions, and the store's alias that it follows. A bad model never replaces a valid one."""

import asyncio
import json
import logging
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from digitnet.decision import Decision, is_blank
from digitnet.images.normalize import in_unit_range
from digitnet.inference_plan import InferencePlan
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import NO_DIGIT, Network
from numpy.typing import NDArray
from stores.models import LIVE, ModelStore, StoreError, UnreachableError

from inference.errors import unavailable
from inference.metrics import Metrics

log = logging.getLogger(__name__)

Image = NDArray[np.float32]  # (28, 28) in [0, 1], 1 = ink
Logits = NDArray[np.float32]  # (1, classes)


class Prediction(NamedTuple):
    """A network's prediction for one image."""

    probabilities: NDArray[np.float32]  # (10,), of the digits, given that the image shows one
    digit: int  # the likeliest, also where the answer is "no digit"
    is_digit: bool
    is_blank: bool = False
    no_digit: dict[str, float] | None = None  # its probability and threshold; None: the network has no class for it

    def answer(self) -> dict[str, Any]:
        """Return the fields of the schema Answer."""
        no_digit = 1.0 if self.no_digit is None else self.no_digit["probability"]
        return {
            "digit": self.digit if self.is_digit else None,
            "is_digit": self.is_digit,
            "best_guess": None if self.is_blank else self.digit,
            "probabilities": self.probabilities.tolist(),
            "confidence": float(self.probabilities[self.digit]) if self.is_digit else no_digit,
            "no_digit": self.no_digit,
        }


class Model(NamedTuple):
    """A network and its card. It never changes, and a request keeps the one that it began with."""

    network: Network
    card: dict[str, Any]
    decision: Decision = Decision()
    golden: NDArray[np.float32] = np.empty((0, 28, 28), np.float32)  # images that it carries, in [0, 1]
    plan: InferencePlan | None = None  # the network compiled for speed; None for a copy that serves one request

    @property
    def version(self) -> str:
        return str(self.card["version"])

    def with_edits(self, edits: list[Edit]) -> "Model":
        """Return a model whose network is a copy with these edits. ValueError if there is no such parameter."""
        return self._replace(network=with_edits(self.network, edits), plan=None) if edits else self

    def predict(self, image: Image) -> Prediction:
        return self.decide(image, (self.plan or self.network).predict_logits(image[None]))

    def decide(self, image: Image, logits: Logits) -> Prediction:
        """Return the prediction for an image that a network gave these logits."""
        decided = self.decision.predictions(logits, image[None])
        is_digit, no_digit = bool(decided.is_digit[0]), None
        blank = not is_digit and bool(is_blank(image[None])[0])
        if logits.shape[1] > NO_DIGIT:
            no_digit = {"probability": float(decided.no_digit[0]), "threshold": self.decision.no_digit_threshold}
        return Prediction(decided.probabilities[0], int(decided.digit[0]), is_digit, blank, no_digit)


class ModelSource:
    """Follows an alias. `loaded` is the newest valid model that it named."""

    def __init__(self, models: ModelStore, metrics: Metrics, alias: str = LIVE):
        self._models, self._metrics, self._alias = models, metrics, alias
        self.loaded: Model | None = None
        self._seen: object = "nothing yet"  # the store's state at the last look; None: the alias named no version
        self._is_unreachable = False  # at the last look
        self._snapshots = lru_cache(1)(models.snapshots)

    @property
    def model(self) -> Model:
        """The newest valid model; an error 503 without one."""
        if self.loaded is not None:
            return self.loaded
        if self._alias != LIVE:
            raise unavailable(f"there is no {self._alias}")
        raise unavailable("there is no model yet: send this again after the trainer has published one")

    async def follow(self, seconds: float) -> None:
        """Refresh forever, at this interval, without holding up requests."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # the model in service goes on, and the next look may succeed
                log.exception("event=model_check_failed")

    def refresh(self) -> None:
        """Load the alias's model if the store has another one than at the last look.

        A bad model is refused. While the store cannot be reached nothing changes. Either is logged once.
        """
        seen: object = None
        try:
            if version := self._models.alias(self._alias):
                seen = self._models.state(version)
            if seen != self._seen:
                self._load(version)
        except UnreachableError as error:
            if not self._is_unreachable:
                self._log_error("models_unreachable", error)
            self._is_unreachable = True
            return
        except StoreError as error:
            seen = seen or str(error)
            if seen != self._seen:
                self._metrics.model_loads.labels("refused").inc()
                self._log_error("model_refused", error)
        self._seen, self._is_unreachable = seen, False

    def _load(self, version: str | None) -> None:
        if version is not None:
            network, card = self._models.load(version)
            golden = in_unit_range(self._models.golden_images(version))
            self.loaded = Model(network, card, Decision.of(card), golden, plan=InferencePlan(network))
            self._snapshots.cache_clear()  # they may have come with a new card of the same version
            self._metrics.model_loads.labels("loaded").inc()
            log.info("event=model_loaded alias=%s version=%s", self._alias, version)
        elif self._alias != LIVE:  # a candidate leaves with its alias; the live model stays, as the store may have gone
            self.loaded = None
        elif self.loaded is None:
            log.info("event=no_model alias=%s store=%s", self._alias, self._models)
        self._metrics.show_model(self._alias, self.loaded.version if self.loaded else None)

    def snapshots(self, model: Model) -> Snapshots | None:
        """Return the snapshots of a model's training, unpacked with the first call; None for missing or damaged ones."""
        try:
            return self._snapshots(model.version)
        except StoreError as error:
            log.warning("event=snapshots_refused version=%s reason=%s", model.version, json.dumps(str(error)))
            return None

    def _log_error(self, event: str, error: StoreError) -> None:
        kept = self.loaded.version if self.loaded else "none"
        log.error("event=%s alias=%s kept=%s reason=%s", event, self._alias, kept, json.dumps(str(error)))
