"""Serve the page without nginx: `python -m frontend`, for `make run`.

page.conf lists the page's files, their headers and the hidden paths of the API, for both servers.
"""

import logging
import os
import posixpath
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import uvicorn
from deployment.problem import MEDIA_TYPE, problem
from deployment.process import end_when_told_to, log_to_stdout
from deployment.request_id import begin_request
from deployment.server import TimedProtocol
from deployment.settings import Port, ServiceSettings, read_or_exit
from pydantic import Field
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

log = logging.getLogger("frontend")

PAGE = Path(__file__).parent
RULES = (PAGE / "page.conf").read_text()
PAGE_FILE, HIDDEN_PATH = (re.compile(pattern, re.ASCII) for pattern in re.findall(r"^location ~ (\S+) {$", RULES, re.MULTILINE))
PAGE_HEADERS = {name: value.strip('"') for name, value in re.findall(r"^ +add_header (\S+) (.+);$", RULES, re.MULTILINE)}

FORWARDED_FOR = "x-forwarded-for"  # replaced, since no proxy precedes this server and a client can send any value
REQUEST_ID = "x-request-id"
# Headers of one connection, which a proxy must not forward (RFC 9110, section 7.6.1).
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
REPLACED = HOP_BY_HOP | {FORWARDED_FOR, REQUEST_ID}


class Settings(ServiceSettings):
    """Addresses of this server and of the service. The default of `api_url` is `port` on this machine."""

    host: str = "127.0.0.1"
    frontend_port: Port = 3000
    port: Port = 7000
    api_url: str = Field(default_factory=lambda settings: f"http://127.0.0.1:{settings['port']}")


def create_app(api_url: str) -> Starlette:
    """Return the app: the page at /, and the service at `api_url` under /api/."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # A new connection for each request, since the service may close an idle one just before the next request.
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=api_url, timeout=30.0, limits=limits, trust_env=False) as client:
            app.state.client = client
            yield

    return Starlette(
        routes=[
            Route("/api/{path:path}", forward, methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
            Route("/learn", lambda _: RedirectResponse("learn/", 301)),  # relative, so that it works under a path
            Mount("/", PageFiles(directory=PAGE)),
        ],
        lifespan=lifespan,
    )


async def forward(request: Request) -> Response:
    """Forward the request to the service, and return its response; 502 if it does not answer."""
    client: httpx.AsyncClient = request.app.state.client
    request_id = begin_request(request.headers.get(REQUEST_ID))
    path = "/" + request.path_params["path"]
    if HIDDEN_PATH.match("/api/" + posixpath.normpath(path).lstrip("/")):
        return error(404, "Not Found", request_id)
    url = httpx.URL(path=quote(path), query=request.url.query.encode() or None)
    headers = [(name, value) for name, value in request.headers.items() if name not in REPLACED]
    headers += [(FORWARDED_FOR, request.client.host if request.client else "unknown"), (REQUEST_ID, request_id)]
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    try:
        forwarded = client.build_request(request.method, url, headers=headers, content=request.stream() if has_body else None)
        answer = await client.send(forwarded, stream=True)
    except (httpx.TransportError, ClientDisconnect) as reason:
        log.warning("event=api_unreachable url=%s reason=%r", client.base_url, reason)
        return error(502, "the prediction service cannot be reached", request_id)
    kept = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
    return StreamingResponse(answer.aiter_raw(), answer.status_code, kept, background=BackgroundTask(answer.aclose))


def error(status: int, detail: str, request_id: str) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "X-Request-ID": request_id}
    return Response(problem(status, detail), status, headers, MEDIA_TYPE)


class PageFiles(StaticFiles):
    """Serve the page's files with its headers, but no other file in the folder. / and /learn/ are index.html."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        path = posixpath.normpath(posixpath.join(path, "index.html")) if path in (".", "learn") else path
        return super().lookup_path(path) if PAGE_FILE.fullmatch(f"/{path}") else ("", None)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(PAGE_HEADERS)
        return response


def main() -> None:
    settings = read_or_exit("frontend", Settings)
    log_to_stdout()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # below, it logs each request
    end_when_told_to()  # uvicorn handles signals only while it serves, and raises them again at its end
    uvicorn.run(
        create_app(settings.api_url),
        host=settings.host,
        port=settings.frontend_port,
        http=TimedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,  # see FORWARDED_FOR
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
