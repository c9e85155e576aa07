"""Errors: the HTTP status of each, and the handlers that answer {"detail": …}."""

import logging
from collections.abc import Callable
from time import time
from typing import Any, ClassVar

from digitnet.images.normalize import DrawingError
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from stores.prediction_log import FEEDBACK_LIMITS, PredictionLogError, Refusal, RefusedError
from stores.prediction_log.base import DAY_SECONDS

log = logging.getLogger(__name__)

LOGGED = ("/predict", "/feedback")  # the paths whose errors are logged, one line each
HEADERS = {429: {"Retry-After": "1"}, 503: {"Retry-After": "5"}}

LOG_OUT_OF_REACH = "the prediction log is out of reach: please send this again in a moment"
TOO_MUCH_FEEDBACK = {
    Refusal.SOURCE: f"your address gave feedback {FEEDBACK_LIMITS.per_source} times today, which is the limit: send it tomorrow",
    Refusal.DAY: f"people gave feedback {FEEDBACK_LIMITS.per_day} times today, which is the limit: send it tomorrow",
}


class ServiceError(HTTPException):
    """A request that cannot be answered."""

    status: ClassVar[int]

    def __init__(self, detail: str, headers: dict[str, str] | None = None):
        super().__init__(self.status, detail, headers)


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
    status = 429


class UnavailableError(ServiceError):
    status = 503


async def _http_error(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    if request.method == "POST" and path in LOGGED:
        log.info("event=refused path=%s code=%d detail=%r", path, error.status_code, error.detail)
    headers = HEADERS.get(error.status_code, {}) | dict(error.headers or {})
    if error.status_code == 405:  # the framework names the methods of the path's first route alone
        routes = [route for route in iter_route_contexts(request.app.routes) if route.path_regex.fullmatch(path)]
        headers = {"Allow": ", ".join(sorted(method for route in routes for method in route.methods or ()))}
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


async def _other_error(request: Request, error: Exception) -> Response:
    return await _http_error(request, _as_http_error(error))


def _as_http_error(error: Exception) -> HTTPException:
    match error:
        case RequestValidationError():
            return InvalidRequestError(first_problem(error.errors()))
        case DrawingError():
            return InvalidRequestError(str(error))
        case RefusedError(reason=Refusal.ERASED):
            return NotFoundError("there is no prediction with this prediction_id: it was erased")
        case RefusedError():
            tomorrow = str(DAY_SECONDS - int(time() % DAY_SECONDS))
            return TooManyRequestsError(TOO_MUCH_FEEDBACK[error.reason], {"Retry-After": tomorrow})
        case ClientDisconnect():
            return HTTPException(499, "the client closed the connection")  # as nginx logs it; nobody reads it
        case PredictionLogError():
            log.error("event=prediction_log_failed reason=%r", str(error))
            return UnavailableError(LOG_OUT_OF_REACH)
        case _:
            return HTTPException(500, "This should not have happened; the service's log says what did.")


OTHERS = RequestValidationError, DrawingError, RefusedError, PredictionLogError, ClientDisconnect, Exception
HANDLERS: dict[int | type[Exception], Callable[..., Any]] = {
    StarletteHTTPException: _http_error,
    **dict.fromkeys(OTHERS, _other_error),
}


def first_problem(errors: Any) -> str:
    """Return the first error of a request in one line: its place and its reason. `errors` are pydantic's."""
    place = ".".join(str(step) for step in errors[0]["loc"])
    message = errors[0]["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
