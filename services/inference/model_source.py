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

NOTHING = "nothing is live"


class NoModelError(UnavailableError):
    """There is no model yet."""


class ModelSource:
    """Follows an alias. `model` is the newest valid model that it named."""

    def __init__(self, models: ModelStore, metrics: Metrics, alias: str = LIVE):
        self._models, self._metrics, self._alias = models, metrics, alias
        self._model: Model | None = None
        self._seen: object = None  # the store's state at the last look, whatever came of it
        self._unreachable = ""  # why the store could not be reached at the last look
        self._lock = Lock()  # of the snapshots
        self._snapshots: tuple[str | None, Snapshots | None] = (None, None)  # the version that they belong to, and they

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
        try:
            self._look()
        except UnreachableError as error:
            self._log_reach(str(error))
        else:
            self._log_reach("")

    def _look(self) -> None:
        seen: object = None
        try:
            version = self._models.alias(self._alias)
            if version is None:
                self._no_version()
                return
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
        self._model = Model(network, card, Decision.of(card), golden, plan=InferencePlan(network))
        self._snapshots = None, None  # they may have come with a new card of the same version
        self._metrics.model_loads.labels("loaded").inc()
        self._metrics.show_model(self._alias, self._model.version)
        log.info("event=model_loaded pointer=%s version=%s", self._alias, self._model.version)

    def _no_version(self) -> None:
        """A candidate leaves with its alias. The live model stays: the store may have gone."""
        if self._alias != LIVE and self._model is not None:
            self._model = self._seen = None
            self._metrics.show_model(self._alias, None)
        if self._alias == LIVE and self._model is None and self._seen != NOTHING:
            self._seen = NOTHING
            log.info("event=no_model pointer=%s in=%s", self._alias, self._models)

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

    def _log_reach(self, unreachable: str) -> None:
        if unreachable and unreachable != self._unreachable:
            reason = json.dumps(unreachable)
            log.error("event=models_unreachable pointer=%s kept=%s reason=%s", self._alias, self._kept, reason)
        elif self._unreachable and not unreachable:
            log.info("event=models_reachable_again pointer=%s", self._alias)
        self._unreachable = unreachable

    def _refuse(self, seen: object, error: StoreError) -> None:
        if seen == self._seen:
            return
        self._seen = seen
        self._metrics.model_loads.labels("refused").inc()
        log.error("event=model_refused pointer=%s kept=%s reason=%s", self._alias, self._kept, json.dumps(str(error)))

    @property
    def _kept(self) -> str:
        return self._model.version if self._model else "none"
