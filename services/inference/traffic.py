"""Traffic: every request counted and timed, whatever becomes of it."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inference.metrics import CODES, OTHER, Metrics


class Traffic:
    """ASGI middleware around all others: what it does not see was never answered. A label for each route, not for each path that
    somebody may think of."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: tuple[str, ...]):
        self._app, self._metrics, self._routes = app, metrics, frozenset(routes)
        metrics.watch(routes)

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
            path = scope["path"].rstrip("/") or "/"
            route = path if path in self._routes else OTHER
            self._metrics.requests.labels(route, code if code in CODES else OTHER).inc()
            self._metrics.request_seconds.labels(route).observe(perf_counter() - started)
