"""What is answered: the metrics on / and /metrics, a health check that asks nobody, and 404."""

import json
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from exporter.disk_collector import DiskCollector
from exporter.drift_collector import DriftCollector
from exporter.feedback_collector import FeedbackCollector
from exporter.model_collector import ModelCollector
from exporter.pipeline_collector import PipelineCollector
from exporter.prediction_log_collector import JournalCollector
from exporter.scrape import Scrape
from exporter.settings import Settings
from exporter.stage_collector import StageCollector


def create_app(settings: Settings) -> Callable:
    """The WSGI app. Whether there is a store and a prediction log at their URLs is seen at each scrape."""
    models, prediction_log = open_models(settings.models), open_prediction_log(settings.prediction_log)
    registry = CollectorRegistry(support_collectors_without_names=True)
    feedback = FeedbackCollector(prediction_log)
    registry.register(
        Scrape(
            [
                ModelCollector(models),
                PipelineCollector(settings.artifacts),
                StageCollector(settings.artifacts),
                JournalCollector(prediction_log),
                feedback,
                DriftCollector(models, prediction_log, feedback),
                DiskCollector(({"models": models.folder} if models.folder else {}) | {"artifacts": settings.artifacts[-1]}),
            ]
        )
    )
    ProcessCollector(registry=registry)  # its own memory, processor time and open files
    metrics = make_wsgi_app(registry)

    def app(environ, start_response):
        path = environ["PATH_INFO"].rstrip("/")
        if path in ("", "/metrics"):
            return metrics(environ, start_response)
        if path == "/healthz":
            return _answer(start_response, "200 OK", {"status": "ok"})
        return _answer(start_response, "404 Not Found", {"detail": "Not Found"})

    return app


def _answer(start_response, status, body):
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode()]
