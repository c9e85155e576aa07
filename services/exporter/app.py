"""What is answered: the metrics on / and /metrics, a health check that asks nobody, and 404."""

import json
from collections.abc import Callable

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from stores.journal import open_journal
from stores.models import open_models

from exporter.disk_collector import DiskCollector
from exporter.drift_collector import DriftCollector
from exporter.feedback_collector import FeedbackCollector
from exporter.journal_collector import JournalCollector
from exporter.model_collector import ModelCollector
from exporter.pipeline_collector import PipelineCollector
from exporter.scrape import Scrape
from exporter.settings import Settings
from exporter.stage_collector import StageCollector


def create_app(settings: Settings) -> Callable:
    """The WSGI app. Whether there is a store and a journal at their URLs is seen at each scrape."""
    models, journal = open_models(settings.models), open_journal(settings.journal)
    registry = CollectorRegistry(support_collectors_without_names=True)
    feedback = FeedbackCollector(journal)
    registry.register(
        Scrape(
            [
                ModelCollector(models),
                PipelineCollector(settings.artifacts),
                StageCollector(settings.artifacts),
                JournalCollector(journal),
                feedback,
                DriftCollector(models, journal, feedback),
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
