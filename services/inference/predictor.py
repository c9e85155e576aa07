"""The served model: its predictions, and the alias in the store that it follows. An invalid model never replaces a valid one."""

import asyncio
import json
import logging
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from digitnet.decision import Decision, Predictions, is_blank
from digitnet.images.normalize import in_unit_range
from digitnet.inference_plan import InferencePlan
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import NO_DIGIT, Network
from numpy.typing import NDArray
from stores.models import LIVE, ModelStore, StoreError, UnreachableError

from inference.errors import not_found, unavailable
from inference.metrics import Metrics

log = logging.getLogger(__name__)

NO_MODEL = "there is no model yet: send this again after the trainer has published one"
UNREACHABLE = "the model store cannot be reached: send this again in a moment"
DAMAGED = "the live model is damaged, and no other version is sound: the operator must publish one"

Image = NDArray[np.float32]  # (28, 28) in [0, 1], 1 = ink
Logits = NDArray[np.float32]  # (1, classes)


class Prediction(NamedTuple):
    """A network's prediction for one image."""

    probabilities: NDArray[np.float32]  # (10,), given that the image shows a digit
    digit: int  # the likeliest, even if the answer is "no digit"
    is_digit: bool
    is_blank: bool = False
    no_digit: dict[str, float] | None = None  # probability and threshold; None if the network has no such class

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
    """A network and its card. Immutable: a request uses the same model from start to end."""

    network: Network
    card: dict[str, Any]
    decision: Decision = Decision()
    golden: NDArray[np.float32] = np.empty((0, 28, 28), np.float32)  # the model's golden images, in [0, 1]
    plan: InferencePlan | None = None  # the compiled forward pass; None for a copy that serves one request

    @property
    def version(self) -> str:
        return str(self.card["version"])

    def with_edits(self, edits: list[Edit]) -> "Model":
        """Return a model whose network is a copy with these edits. Raise ValueError for an unknown parameter."""
        return self._replace(network=with_edits(self.network, edits), plan=None) if edits else self

    def predict(self, image: Image) -> Prediction:
        return self.decide(image, (self.plan or self.network).predict_logits(image[None]))

    def decide(self, image: Image, logits: Logits) -> Prediction:
        """Return the prediction for an image with these logits."""
        return self.prediction(image, self.decision.predictions(logits, image[None]), 0)

    def prediction(self, image: Image, decided: Predictions, index: int) -> Prediction:
        """Return the prediction for an image, from those of a batch."""
        is_digit, no_digit = bool(decided.is_digit[index]), None
        blank = not is_digit and bool(is_blank(image[None])[0])
        if self.network.classes > NO_DIGIT:
            no_digit = {"probability": float(decided.no_digit[index]), "threshold": self.decision.no_digit_threshold}
        return Prediction(decided.probabilities[index], int(decided.digit[index]), is_digit, blank, no_digit)


class ModelSource:
    """Follow an alias in the model store. `loaded` is the newest valid model under this alias."""

    def __init__(self, models: ModelStore, metrics: Metrics, alias: str = LIVE):
        self._models, self._metrics, self._alias = models, metrics, alias
        self.loaded: Model | None = None
        self._seen: object = "nothing yet"  # the store's state at the last check; None: no version has the alias
        self._is_unreachable = False  # at the last check
        self._why_none = NO_MODEL
        self._snapshots = lru_cache(1)(models.snapshots)

    @property
    def model(self) -> Model:
        """Return the newest valid model. Raise a 503 without a live model, and a 404 without a candidate."""
        if self.loaded is not None:
            return self.loaded
        if self._alias != LIVE:
            raise not_found(f"there is no {self._alias}")
        raise unavailable(self._why_none)

    async def follow(self, seconds: float) -> None:
        """Refresh forever, at this interval, in a thread."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # keep the loaded model; the next check may succeed
                log.exception("event=model_check_failed")

    def refresh(self) -> None:
        """Load the alias's model if it has changed since the last check.

        Keep the loaded model if the new one is invalid or the store cannot be reached, and log the reason once. Without a loaded
        model, load the store's fallback instead of an invalid live model.
        """
        try:
            self._seen = self._loaded_state()
        except UnreachableError as error:
            if not self._is_unreachable:
                self._log_error("models_unreachable", error)
            self._is_unreachable, self._why_none = True, UNREACHABLE
        else:
            self._is_unreachable = False

    def _loaded_state(self) -> object:
        """Load the alias's model if the store's state differs from the last one, and return the state."""
        seen: object = None
        try:
            if version := self._models.alias(self._alias):
                seen = self._models.state(version)
            if seen != self._seen:
                self._load(version)
        except UnreachableError:
            raise
        except StoreError as error:
            seen = seen or str(error)
            if seen != self._seen:
                self._metrics.model_loads.labels("refused").inc()
                self._log_error("model_refused", error)
                self._fall_back()
        return seen

    def _fall_back(self) -> None:
        if self._alias != LIVE or self.loaded is not None:
            return
        version = self._models.fallback()
        if version is None:
            self._why_none = DAMAGED
        else:
            log.warning("event=model_fallback alias=%s version=%s", self._alias, version)
            self._load(version)

    def _load(self, version: str | None) -> None:
        if version is not None:
            network, card = self._models.load(version)
            golden = in_unit_range(self._models.golden_images(version))
            self.loaded = Model(network, card, Decision.of(card), golden, plan=InferencePlan(network))
            self._snapshots.cache_clear()  # a new card of the same version may add snapshots
            self._metrics.model_loads.labels("loaded").inc()
            log.info("event=model_loaded alias=%s version=%s", self._alias, version)
        elif (
            self._alias != LIVE
        ):  # without its alias a candidate is over; the live model stays, as the store may be empty by mistake
            self.loaded = None
        elif self.loaded is None:
            self._why_none = NO_MODEL
            log.info("event=no_model alias=%s store=%s", self._alias, self._models)
        self._metrics.show_model(self._alias, self.loaded.version if self.loaded else None)

    def snapshots(self, model: Model) -> Snapshots | None:
        """Return the snapshots of a model's training, cached; None for missing or damaged ones."""
        try:
            return self._snapshots(model.version)
        except StoreError as error:
            log.warning("event=snapshots_refused version=%s reason=%s", model.version, json.dumps(str(error)))
            return None

    def _log_error(self, event: str, error: StoreError) -> None:
        kept = self.loaded.version if self.loaded else "none"
        log.error("event=%s alias=%s kept=%s reason=%s", event, self._alias, kept, json.dumps(str(error)))
