"""Errors: a kind for each HTTP status, and the handlers that answer {"detail": …}."""

import logging
from collections.abc import Callable
from typing import Any, ClassVar

from digitnet.images.normalize import DrawingError
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

log = logging.getLogger(__name__)

LOGGED = ("/predict", "/feedback")  # the paths whose errors are logged, one line each


class ServiceError(HTTPException):
    """A request that cannot be answered; each kind has its status, and may have headers of its own."""

    status: ClassVar[int]
    retry_after: ClassVar[int | None] = None  # seconds

    def __init__(self, detail: str, headers: dict[str, str] | None = None):
        retry = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        super().__init__(self.status, detail, retry | (headers or {}))


class BadRequestError(ServiceError):
    status = 400


class NotFoundError(ServiceError):
    status = 404


class TooLargeError(ServiceError):
    status = 413


class UnsupportedMediaError(ServiceError):
    status = 415


class InvalidRequestError(ServiceError):
    status = 422


class TooManyRequestsError(ServiceError):
    status, retry_after = 429, 1


class UnavailableError(ServiceError):
    status, retry_after = 503, 5


async def _http_error(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    if request.method == "POST" and path in LOGGED:
        log.info("event=refused path=%s code=%d detail=%r", path, error.status_code, error.detail)
    headers = {"Allow": ", ".join(_allowed_methods(request))} if error.status_code == 405 else error.headers
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


def _allowed_methods(request: Request) -> list[str]:
    """Return the methods of all routes with this path. The framework names the first route's alone."""
    routes = [route for route in iter_route_contexts(request.app.routes) if route.path == request.url.path]
    return sorted(method for route in routes for method in route.methods or ())


async def _invalid_arguments(request: Request, error: RequestValidationError) -> Response:
    return await _http_error(request, InvalidRequestError(first_problem(error.errors())))


async def _invalid_drawing(request: Request, error: DrawingError) -> Response:
    return await _http_error(request, InvalidRequestError(str(error)))


async def _client_gone(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=499)  # as nginx logs it; nobody reads it


async def _unexpected(request: Request, error: Exception) -> Response:
    return await _http_error(request, HTTPException(500, "This should not have happened; the service's log says what did."))


HANDLERS: dict[int | type[Exception], Callable[..., Any]] = {
    StarletteHTTPException: _http_error,
    RequestValidationError: _invalid_arguments,
    DrawingError: _invalid_drawing,
    ClientDisconnect: _client_gone,
    Exception: _unexpected,
}


def first_problem(errors: Any) -> str:
    """Return the first error of a request in one line: its place and its reason. `errors` are pydantic's."""
    place = ".".join(str(step) for step in errors[0]["loc"])
    message = errors[0]["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
