"""A short way to the route that is asked most."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Direct:
    """ASGI middleware: POST to the path goes to `answer` at once, past the layers in which FastAPI looks for the route and works
    out its arguments; they take a quarter of the time of a prediction (docs/performance.md). Whatever has a query takes the usual
    way, for FastAPI to read that. The route itself must be there too: it is what the description of the API has.
    """

    def __init__(self, app: ASGIApp, path: str, answer: Callable[[Request], Awaitable[Response]]):
        self._app, self._paths, self._answer = app, (path, f"{path}/"), answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths or scope["method"] != "POST" or scope["query_string"]:
            await self._app(scope, receive, send)
        else:
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
