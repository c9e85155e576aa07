"""Traffic: every request counted and timed, whatever becomes of it."""

import re
from functools import cache
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.metrics import CODES, OTHER, Metrics


class Traffic:
    """ASGI middleware around all others: what it does not see was never answered. A label for each route, not for each path that
    somebody may think of."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: tuple[str, ...]):
        self._app, self._routes = app, frozenset(routes)
        # A path with an id in it counts under its route's template.
        self._templates = {re.compile(re.sub(r"{\w+}", "[^/]+", route)): route for route in routes if "{" in route}
        metrics.watch(routes)
        self._labelled = cache(lambda route, code: (metrics.requests.labels(route, code), metrics.request_seconds.labels(route)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, code = perf_counter(), "500"

        async def send_and_see(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            route = self._route(scope["path"].rstrip("/") or "/")
            requests, seconds = self._labelled(route, code if code in CODES else OTHER)
            requests.inc()
            seconds.observe(perf_counter() - started)

    def _route(self, path: str) -> str:
        if path in self._routes:
            return path
        return next((route for template, route in self._templates.items() if template.fullmatch(path)), OTHER)
