"""The exporter's WSGI app: metrics on / and /metrics, and a health check that reads no source."""

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from deployment.version import doodle_version
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, make_wsgi_app
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from exporter.disk_collector import DiskCollector
from exporter.drift_collector import DriftCollector
from exporter.feedback_collector import FeedbackCollector
from exporter.front_door import FrontDoor
from exporter.model_collector import ModelCollector
from exporter.pipeline_collector import PipelineCollector
from exporter.prediction_log_collector import PredictionLogCollector
from exporter.scrape import Scrape
from exporter.settings import Settings
from exporter.stage_collector import StageCollector
from exporter.timed_log import TimedLog


def create_app(settings: Settings) -> WSGIApplication:
    """Return the app. It looks for the stores at each scrape, so they can appear later."""
    models, prediction_log = open_models(settings.models), TimedLog(open_prediction_log(settings.prediction_log))
    disks = ({"models": models.folder} if models.folder else {}) | {"artifacts": settings.artifacts[-1]}
    feedback = FeedbackCollector(prediction_log)
    urls = settings.page_url, settings.api_url
    front_doors = [FrontDoor(*urls, settings.api_key)] if all(urls) else []
    for front_door in front_doors:
        threading.Thread(target=front_door.follow, name="front-door", daemon=True).start()
    registry = CollectorRegistry(support_collectors_without_names=True)
    registry.register(
        Scrape(
            [
                ModelCollector(models),
                PipelineCollector(settings.artifacts),
                StageCollector(settings.artifacts),
                PredictionLogCollector(prediction_log),
                feedback,
                DriftCollector(models, prediction_log, feedback),
                DiskCollector(disks),
                *front_doors,
            ],
            before=prediction_log.start_scrape,
        )
    )
    ProcessCollector(registry=registry)
    build_info = Gauge("doodle_build_info", "Always 1; the label is Doodle's version.", ["version"], registry=registry)
    build_info.labels(doodle_version()).set(1)
    metrics: WSGIApplication = make_wsgi_app(registry)

    def get(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"].rstrip("/")
        if path in ("", "/metrics"):
            return metrics(environ, start_response)
        status, body = ("200 OK", {"status": "ok"}) if path == "/healthz" else ("404 Not Found", {"detail": "Not Found"})
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(body).encode()]

    return with_head(get)


def with_head(get: WSGIApplication) -> WSGIApplication:
    """Return an app that also answers HEAD: with the headers of GET, without its body."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "HEAD":
            return get(environ, start_response)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], object]:
            started.append((status, headers))
            return lambda data: None

        length = sum(map(len, get(environ | {"REQUEST_METHOD": "GET"}, start)))
        status, headers = started[0]
        start_response(status, [*headers, ("Content-Length", str(length))])
        return []

    return app
