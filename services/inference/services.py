"""The services of an app, and their start and end with the app."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import Request
from stores.models import ALIASES, CANDIDATE, LIVE, open_models
from stores.prediction_log import open_prediction_log

from inference.body import BodyReader
from inference.feedback import FeedbackService
from inference.metrics import Metrics
from inference.prediction_logger import PredictionLogger, drop_expired
from inference.predictor import ModelSource
from inference.settings import Settings
from inference.shadow import Shadow
from inference.work_queue import WorkQueue

# Calls that may wait in each queue while one runs: usually at most two seconds of work on one core.
LARGE_WAITING = 8  # Large bodies: 0.1 s for a photo, up to 1.3 s for the worst file.
INSPECTIONS_WAITING = 64  # Explanations, units, snapshots: up to 0.03 s each.
READS_WAITING = 32  # Numbers: 0.01 s, up to 0.5 s for the worst drawing. An image that waits takes up to 5 MB.
BATCHES_WAITING = 64  # Batches of images: 0.1 s, up to 0.7 s for 256 images of noise. Admission limits their images to 256.
SLOW_WAITING = 4  # Occlusion, training steps: up to half a second each.


class Services:
    """The services of one app. They read nothing from disk before `running`."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self.metrics = Metrics()
        models = open_models(settings.models)
        self.sources = {alias: ModelSource(models, self.metrics, alias) for alias in ALIASES}
        self.live = self.sources[LIVE]
        self.shadow = Shadow(self.sources[CANDIDATE], self.metrics)
        self.prediction_log = open_prediction_log(settings.prediction_log)
        self.logger = PredictionLogger(self.prediction_log, self.metrics)
        self.feedback = FeedbackService(self.prediction_log, self.logger, self.metrics)
        self.large = WorkQueue("large", LARGE_WAITING, self.metrics)
        self.inspections = WorkQueue("inspections", INSPECTIONS_WAITING, self.metrics)
        self.reads = WorkQueue("reads", READS_WAITING, self.metrics)
        self.batches = WorkQueue("batches", BATCHES_WAITING, self.metrics)
        self.slow = WorkQueue("slow", SLOW_WAITING, self.metrics)
        self.bodies = BodyReader(self.large)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the models, then follow the store and drop expired records until the app ends."""
        for source in self.sources.values():
            await asyncio.to_thread(source.refresh)
        tasks = [asyncio.create_task(source.follow(self.settings.model_check_seconds)) for source in self.sources.values()]
        if self.settings.retention_days:
            tasks.append(asyncio.create_task(drop_expired(self.prediction_log, self.settings.retention_days)))
        async with self.logger:
            yield
        for task in tasks:
            task.cancel()
        for queue in (self.large, self.inspections, self.reads, self.batches, self.slow):
            queue.close()


def services_of(request: Request) -> Services:
    """Return the services of the request's app."""
    services: Services = request.app.state.services
    return services
