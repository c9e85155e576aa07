"""Follow one of the model store's aliases: take a new model once it is validated, and keep the old one if it is bad."""

import asyncio
import json
import logging
from threading import Lock

from digitnet.decision import Decision
from digitnet.images.normalize import in_unit_range
from digitnet.inference_plan import InferencePlan
from digitnet.inspect.snapshots import Snapshots
from stores.models import LIVE, ModelStore, StoreError, UnreachableError

from inference.errors import UnavailableError
from inference.metrics import Metrics
from inference.predictor import Model

log = logging.getLogger(__name__)


class NoModelError(UnavailableError):
    """There is no model yet."""


class ModelSource:
    """Follows an alias. `model` is the newest valid model that it named."""

    def __init__(self, models: ModelStore, metrics: Metrics, alias: str = LIVE):
        self._models, self._metrics, self._alias = models, metrics, alias
        self._model: Model | None = None
        self._seen: object = "nothing yet"  # the store's state at the last look; None: the alias named no version
        self._unreachable = ""  # why the store could not be reached at the last look
        self._lock = Lock()  # of the snapshots
        self._snapshots: tuple[str | None, Snapshots | None] = (None, None)  # the version that they belong to, and they

    @property
    def is_loaded(self) -> bool:
        return self._model is not None

    @property
    def model(self) -> Model:
        if self._model is not None:
            return self._model
        if self._alias != LIVE:
            raise NoModelError(f"there is no {self._alias}")
        raise NoModelError("there is no model yet: the trainer publishes one once it is trained; ask again then")

    async def follow(self, seconds: float) -> None:
        """Refresh forever, at this interval, without holding up requests."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await asyncio.to_thread(self.refresh)
            except Exception:  # the model in service goes on, and the next look may succeed
                log.exception("event=model_check_failed")

    def refresh(self) -> None:
        """Load the alias's model if the store has another one than at the last look. A bad one is refused, and logged once.

        While the store cannot be reached everything stays as it is. That is logged once, too, and the next look catches up.
        """
        seen: object = None
        try:
            if version := self._models.alias(self._alias):
                seen = self._models.state(version)
            if seen != self._seen:
                self._load(version)
        except UnreachableError as error:
            if str(error) != self._unreachable:
                self._log_error("models_unreachable", error)
            self._unreachable = str(error)
            return
        except StoreError as error:
            seen = seen or str(error)
            if seen != self._seen:
                self._metrics.model_loads.labels("refused").inc()
                self._log_error("model_refused", error)
        self._seen = seen
        if self._unreachable:
            log.info("event=models_reachable_again pointer=%s", self._alias)
        self._unreachable = ""

    def _load(self, version: str | None) -> None:
        if version is not None:
            network, card = self._models.load(version)
            golden = in_unit_range(self._models.golden_images(version))
            self._model = Model(network, card, Decision.of(card), golden, plan=InferencePlan(network))
            self._snapshots = None, None  # they may have come with a new card of the same version
            self._metrics.model_loads.labels("loaded").inc()
            log.info("event=model_loaded pointer=%s version=%s", self._alias, version)
        elif self._alias != LIVE:  # a candidate leaves with its alias; the live model stays, as the store may have gone
            self._model = None
        elif self._model is None:
            log.info("event=no_model pointer=%s in=%s", self._alias, self._models)
        self._metrics.show_model(self._alias, self._model.version if self._model else None)

    def snapshots(self, model: Model) -> Snapshots | None:
        """Return the snapshots of a model's training; None where there are none, or damaged ones: the model serves all the same.

        The first request for them unpacks them, so a new model answers no later for them.
        """
        with self._lock:
            if self._snapshots[0] != model.version:
                found = None
                try:
                    found = self._models.snapshots(model.version)
                except StoreError as error:
                    log.warning("event=snapshots_refused version=%s reason=%s", model.version, json.dumps(str(error)))
                    if isinstance(error, UnreachableError):
                        return None  # the next request may have them
                self._snapshots = model.version, found
            return self._snapshots[1]

    def _log_error(self, event: str, error: StoreError) -> None:
        kept = self._model.version if self._model else "none"
        log.error("event=%s pointer=%s kept=%s reason=%s", event, self._alias, kept, json.dumps(str(error)))
