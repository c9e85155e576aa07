"""Request metrics: count and time every request, whatever its outcome."""

import re
from collections.abc import Sequence
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.metrics import CODES, FEEDBACK_PROBLEM_CODES, OTHER, PROBLEM_CODES, Metrics

FEEDBACK = ("POST", "/feedback"), ("PUT", "/predictions/{prediction_id}/feedback")


class RequestMetrics:
    """Outermost ASGI middleware. It labels requests by route, because clients can invent any number of paths."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Sequence[str]):
        self._app, self._metrics, self._routes = app, metrics, frozenset(routes)
        # A path with an id counts under its route's template.
        self._templates = {re.compile(re.sub(r"{\w+}", "[^/]+", route)): route for route in routes if "{" in route}
        for route in (*routes, OTHER):  # start at zero
            metrics.requests.labels(route, "200")
            metrics.request_seconds.labels(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = perf_counter(), 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._count(scope["method"], scope["path"], str(status), perf_counter() - started)

    def _count(self, method: str, path: str, code: str, seconds: float) -> None:
        route, metrics = self._route(path), self._metrics
        metrics.requests.labels(route, code if code in CODES else OTHER).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        if method == "POST" and route == "/predict":
            metrics.predict_calls.inc()
            if code in PROBLEM_CODES:
                metrics.prediction_errors.inc()
                metrics.errors_by_code.labels(code).inc()
        elif (method, route) in FEEDBACK and code in FEEDBACK_PROBLEM_CODES:
            metrics.feedback_errors.labels(code).inc()

    def _route(self, path: str) -> str:
        if path in self._routes:
            return path
        return next((route for template, route in self._templates.items() if template.fullmatch(path)), OTHER)
