"""Serve the page where there is no nginx: `python -m frontend`. Static files, and /api/ passed on to the service.

It does what nginx does in the Compose stack, so that `make run` needs nothing but Python.
"""

import logging
import posixpath
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import uvicorn
from deployment.environment import Environment, read_or_exit
from deployment.process import end_when_told_to, log_to_stdout
from deployment.server import TimedProtocol
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

log = logging.getLogger("frontend")

PAGE = Path(__file__).parent
PAGE_FILE = re.compile(r"(?:learn/)?(?:[\w-]+\.(?:html|css|svg)|js/[\w-]+\.js)", re.ASCII)
SECURITY_HEADERS = {
    # No script, style or image but the page's own, and nobody else's frame. Trusted types: no script makes elements of text, so
    # what somebody has sent stays text.
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",  # whatever a script may come to think of
    "Cross-Origin-Resource-Policy": "same-origin",  # no other website shows a part of it
    "Cache-Control": "no-cache",  # asks each time whether a file has changed: pages and scripts of two releases never mix
}
# These belong to one connection, and here there are two (RFC 9110, section 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
# What is measured, and the models that are not everybody's yet: for those who run this, not for all who can see the page.
NOT_FOR_EVERYBODY = {"metrics", "live", "candidate"}
FORWARDED_FOR = "x-forwarded-for"  # nobody stands before us: what the client claims is not believed


def create_app(api_url: str) -> Starlette:
    """The page at /, everything under /api/ passed on to the service at `api_url`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # A connection for each question: of one that is kept, the service may just be letting go when the next question comes.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, trust_env=False) as client:
            app.state.client = client
            yield

    return Starlette(
        routes=[
            Route("/api/{path:path}", pass_on, methods=["GET", "POST", "DELETE", "OPTIONS"]),
            Route("/learn", to_the_learning_path),
            Mount("/", PageFiles(directory=PAGE)),
        ],
        middleware=[Middleware(SecurityHeaders)],
        lifespan=lifespan,
    )


async def pass_on(request: Request) -> Response:
    """The same request to the service, and its answer back; 502 where it does not answer."""
    client: httpx.AsyncClient = request.app.state.client
    path = "/" + request.path_params["path"]
    if posixpath.normpath(path).strip("/").partition("/")[0] in NOT_FOR_EVERYBODY:
        return _error(404, "Not Found")
    url = httpx.URL(path=quote(path), query=request.url.query.encode() or None)
    headers = [(name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP | {FORWARDED_FOR}]
    headers.append((FORWARDED_FOR, request.client.host if request.client else "unknown"))
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    try:
        passed_on = client.build_request(request.method, url, headers=headers, content=request.stream() if has_body else None)
        answer = await client.send(passed_on, stream=True)
    except (httpx.TransportError, ClientDisconnect) as error:
        log.warning("event=api_unreachable url=%s reason=%r", client.base_url, error)
        return _error(502, "the prediction service cannot be reached")
    headers = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
    return StreamingResponse(answer.aiter_raw(), answer.status_code, headers, background=BackgroundTask(answer.aclose))


def _error(status, detail):
    return JSONResponse({"detail": detail}, status, {"X-Content-Type-Options": "nosniff"})


async def to_the_learning_path(_: Request) -> Response:
    """Relative, as all addresses of the page: it may stand below a path."""
    return RedirectResponse("learn/", 301)


class PageFiles(StaticFiles):
    """The page's own files and none of the others that lie beside them; / is index.html, /learn/ learn/index.html."""

    def lookup_path(self, path):
        path = posixpath.join("" if path == "." else path, "index.html") if path in (".", "learn") else path
        return super().lookup_path(path) if PAGE_FILE.fullmatch(path) else ("", None)


class SecurityHeaders:
    """Adds the headers to the page's own files; the API's answers are the API's."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    *((name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()),
                ]
            await send(message)

        is_page = scope["type"] == "http" and not scope["path"].startswith("/api/")
        await self.app(scope, receive, send_with_headers if is_page else send)


def _settings(variables):
    environment = Environment(variables)
    host, port = environment.text("DOODLE_HOST", "127.0.0.1"), environment.port("DOODLE_FRONTEND_PORT", 3000)
    return host, port, environment.text("DOODLE_API_URL", f"http://127.0.0.1:{environment.port('DOODLE_PORT', 7000)}")


def main() -> int:
    """DOODLE_HOST, DOODLE_FRONTEND_PORT and DOODLE_API_URL say where."""
    host, port, api_url = read_or_exit("frontend", _settings)
    log_to_stdout()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it has a line for each request
    end_when_told_to()  # not before uvicorn listens to signals, nor after, when it raises them once more, is that a failure
    uvicorn.run(
        create_app(api_url),
        host=host,
        port=port,
        http=TimedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # see FORWARDED_FOR
        timeout_graceful_shutdown=2,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
