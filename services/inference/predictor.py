"""The model in service: validated before it answers anyone, replaced when a new one is there, kept when that one is bad."""

import asyncio
import json
import logging
from threading import Lock
from typing import NamedTuple

import numpy as np
from digitnet.decision import Decision, is_blank
from digitnet.images.normalize import in_unit_range
from digitnet.inference_plan import InferencePlan
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import NO_DIGIT, Network
from stores.models import LIVE, ModelStore, StoreError, UnreachableError

from inference.metrics import Metrics

log = logging.getLogger(__name__)

NOTHING = "nothing is live"


class NoModelError(Exception):
    """There is no model yet."""


class NoDigit(NamedTuple):
    """How likely the image is no digit, and the probability above which that is the answer."""

    probability: float
    threshold: float


class Reading(NamedTuple):
    """A network's answer to one image."""

    probabilities: np.ndarray  # float32 (10,), of the digits, given that the image shows one
    is_digit: bool
    no_digit: NoDigit | None = None  # None: the network has no class for it
    is_blank: bool = False  # a blank or a dot is never a digit

    @property
    def likeliest(self) -> int:
        """The digit with the largest probability, also where the answer is "no digit"."""
        return int(self.probabilities.argmax())

    def answer(self) -> dict:
        """The fields of schemas.Answer. `confidence` is the probability of the answer: of the digit, or of "no digit"."""
        likeliest = self.likeliest
        of_no_digit = 1.0 if self.no_digit is None else self.no_digit.probability
        return {
            "digit": likeliest if self.is_digit else None,
            "is_digit": self.is_digit,
            "best_guess": None if self.is_blank else likeliest,
            "probabilities": self.probabilities.tolist(),
            "confidence": float(self.probabilities[likeliest]) if self.is_digit else of_no_digit,
            "no_digit": None if self.no_digit is None else self.no_digit._asdict(),
        }


class Model(NamedTuple):
    """A network and its card. Never changed once made: a request keeps the one that it began with."""

    network: Network
    card: dict
    decision: Decision = Decision()
    golden: np.ndarray = np.empty((0, 28, 28), np.float32)  # images that it carries, in [0, 1]
    snapshots: Snapshots | None = None  # how it learnt, where its maker kept that and somebody asked
    prepared: InferencePlan | None = None  # the network once more, for speed; None for a copy that answers a question or two

    @property
    def version(self) -> str:
        return self.card["version"]

    def changed(self, changes: list[Edit]) -> "Model":
        """The same with a copy of its network in which something is changed. ValueError if there is no such parameter."""
        return self._replace(network=with_edits(self.network, changes), prepared=None) if changes else self

    def at(self, moment: int) -> "Model":
        """The same with its network as it was at a moment of its snapshots."""
        return self._replace(network=self.snapshots.network(moment, self.network), prepared=None)

    def read(self, image: np.ndarray) -> Reading:
        """Return the answer to an image, float32 (28, 28) in [0, 1]."""
        return self.reading(image, (self.prepared or self.network).predict_logits(image[None]))

    def reading(self, image: np.ndarray, logits: np.ndarray) -> Reading:
        """The same of logits (1, classes) that a network gave for the image."""
        (probabilities,), (no_digit,), (is_digit,) = self.decision.predictions(logits, image[None])
        of_no_digit = NoDigit(float(no_digit), self.decision.no_digit_threshold)
        return Reading(
            probabilities, bool(is_digit), of_no_digit if logits.shape[1] > NO_DIGIT else None, bool(is_blank(image[None])[0])
        )


class ModelSource:
    """Follows one of the store's aliases. `model` is the newest valid model that it named."""

    def __init__(self, models: ModelStore, metrics: Metrics, alias: str = LIVE):
        self._models, self._metrics, self._alias = models, metrics, alias
        self._model: Model | None = None
        self._seen: object = None  # the store as last looked at, whatever came of it
        self._unreachable = ""  # why the store could not be asked at the last look
        self._unpacking = Lock()
        self._unpacked: tuple[str | None, Snapshots | None] = (None, None)  # of which version

    @property
    def is_loaded(self) -> bool:
        return self._model is not None

    @property
    def model(self) -> Model:
        if self._model is None and self._alias != LIVE:
            raise NoModelError(f"there is no {self._alias}")
        if self._model is None:
            raise NoModelError("there is no model yet: the trainer publishes one once it is trained; ask again then")
        return self._model

    def refresh(self) -> None:
        """Load the alias's model if it is another than when last looked at. A bad one is refused, and said so once.

        While the store cannot be asked everything stays as it is. That is said once, too, and what could not be done is done by
        the first look that finds it there again.
        """
        try:
            self._look()
        except UnreachableError as error:
            self._go_on(str(error))
        else:
            self._go_on("")

    def _look(self):
        seen = None
        try:
            version = self._models.alias(self._alias)
            if version is None:
                if self._alias != LIVE and self._model is not None:  # a candidate is there for as long as it is one
                    self._model = self._seen = None
                    self._metrics.show_model(self._alias, None)
                if self._alias == LIVE and self._model is None and self._seen != NOTHING:
                    self._seen = NOTHING
                    log.info("event=no_model pointer=%s in=%s", self._alias, self._models)
                return  # none yet, or the store is gone: what is live stays
            seen = self._models.state(version)
            if seen == self._seen:
                return
            network, card = self._models.load(version)
            golden = in_unit_range(self._models.golden_images(version))
        except UnreachableError:
            raise
        except StoreError as error:
            self._refuse(seen or str(error), error)
            return
        self._seen = seen
        self._model = Model(network, card, Decision.of(card), golden, prepared=InferencePlan(network))
        self._unpacked = (None, None)  # they may have come with a new card of the same version
        self._metrics.model_loads.labels("loaded").inc()
        self._metrics.show_model(self._alias, card["version"])
        log.info("event=model_loaded pointer=%s version=%s", self._alias, card["version"])

    def with_snapshots(self, model: Model) -> Model:
        """The same with its snapshots, unpacked when somebody first asks: a new model answers no later for them.

        None too where they are damaged: the model serves all the same.
        """
        with self._unpacking:
            if self._unpacked[0] != model.version:
                try:
                    self._unpacked = model.version, self._models.snapshots(model.version)
                except StoreError as error:
                    log.warning("event=snapshots_refused version=%s reason=%s", model.version, json.dumps(str(error)))
                    if isinstance(error, UnreachableError):
                        return model  # whoever asks next may have them
                    self._unpacked = model.version, None
            return model._replace(snapshots=self._unpacked[1])

    def _go_on(self, unreachable):
        if unreachable and unreachable != self._unreachable:
            kept = self._model.version if self._model else "none"
            log.error("event=models_unreachable pointer=%s kept=%s reason=%s", self._alias, kept, json.dumps(unreachable))
        elif self._unreachable and not unreachable:
            log.info("event=models_reachable_again pointer=%s", self._alias)
        self._unreachable = unreachable

    def _refuse(self, seen, error):
        if seen == self._seen:
            return
        self._seen = seen
        self._metrics.model_loads.labels("refused").inc()
        kept = self._model.version if self._model else "none"
        log.error("event=model_refused pointer=%s kept=%s reason=%s", self._alias, kept, json.dumps(str(error)))

    async def follow(self, seconds: float) -> None:
        """Refresh for ever, every so many seconds, without holding up requests."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # whatever it was, the model in service goes on and the next look may do better
                log.exception("event=model_check_failed")
