"""Request ids and caching: headers of every answer."""

from deployment.request_id import begin_request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_STORE = b"cache-control", b"no-store"


class RequestIds:
    """Outermost ASGI middleware. It returns the request's id, and forbids caches to store answers without Cache-Control.

    Inner middleware may add headers to scope["answer_headers"].
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = begin_request(given.decode("latin-1")).encode()
        scope["answer_headers"] = more = [(b"x-request-id", request_id)]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], *more]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append(NO_STORE)
                message["headers"] = headers
            await send(message)

        await self._app(scope, receive, send_with_headers)
