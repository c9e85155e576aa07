"""Request metrics: every request is counted and timed, whatever becomes of it."""

import re
from collections.abc import Sequence
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.metrics import OTHER, Metrics


class RequestMetrics:
    """ASGI middleware around all others. Its labels are the routes, because clients may make up any path."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Sequence[str]):
        self._app, self._metrics, self._routes = app, metrics, frozenset(routes)
        # A path with an id in it counts under its route's template.
        self._templates = {re.compile(re.sub(r"{\w+}", "[^/]+", route)): route for route in routes if "{" in route}
        metrics.add_routes(routes)

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

        path = scope["path"]
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._metrics.count_request(scope["method"], self._route(path), status, perf_counter() - started)

    def _route(self, path: str) -> str:
        if path in self._routes:
            return path
        return next((route for template, route in self._templates.items() if template.fullmatch(path)), OTHER)
