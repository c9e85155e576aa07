"""Errors: the HTTP status of each, and the handlers that answer with a problem."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import time
from typing import Any

from deployment.problem import MEDIA_TYPE, problem
from digitnet.images.normalize import DrawingError
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from stores.prediction_log import FEEDBACK_LIMITS, PredictionLogError, Refusal, RefusedError
from stores.prediction_log.base import DAY_SECONDS

from inference.field_errors import query_errors

log = logging.getLogger(__name__)

LOGGED = ("/predict", "/read", "/feedback")  # endings of paths whose errors are logged, one line each
HEADERS = {429: {"Retry-After": "1"}, 503: {"Retry-After": "5"}}

LOG_UNREACHABLE = "the prediction log cannot be reached: send this again in a moment"
TOO_MUCH_FEEDBACK = {
    Refusal.SOURCE: f"your address gave feedback {FEEDBACK_LIMITS.per_source} times today, which is the limit: send it tomorrow",
    Refusal.DAY: f"people gave feedback {FEEDBACK_LIMITS.per_day} times today, which is the limit: send it tomorrow",
}
# Named by the Refusal. draft-ietf-httpapi-ratelimit-headers defines these fields.
FEEDBACK_POLICY = {
    "RateLimit-Policy": f'"{Refusal.SOURCE}";q={FEEDBACK_LIMITS.per_source};w={DAY_SECONDS}, '
    f'"{Refusal.DAY}";q={FEEDBACK_LIMITS.per_day};w={DAY_SECONDS}'
}


class ApiError(HTTPException):
    """An error of a request, with the places that are wrong in it."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),  # each of the schema FieldError
    ):
        super().__init__(status, detail, dict(headers or {}))
        self.errors = errors


# Each takes a detail and, optionally, headers and errors.
bad_request = partial(ApiError, 400)
not_found = partial(ApiError, 404)
too_large = partial(ApiError, 413)
unsupported_media = partial(ApiError, 415)
invalid_request = partial(ApiError, 422)
too_many_requests = partial(ApiError, 429)
unavailable = partial(ApiError, 503)


async def _http_error(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    if request.method in ("POST", "PUT") and path.endswith(LOGGED):
        log.info("event=refused path=%s code=%d detail=%r", path, error.status_code, error.detail)
    headers = HEADERS.get(error.status_code, {}) | dict(error.headers or {})
    if error.status_code == 405:  # the framework names only the methods of the path's first route
        routes = [route for route in iter_route_contexts(request.app.routes) if route.path_regex.fullmatch(path)]
        methods = {method for route in routes for method in route.methods or ()}
        headers = {"Allow": ", ".join(sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())}))}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    content = problem(error.status_code, error.detail, getattr(error, "errors", ()))
    return Response(content, error.status_code, headers, MEDIA_TYPE)


async def _other_error(request: Request, error: Exception) -> Response:
    return await _http_error(request, _as_http_error(error))


def _as_http_error(error: Exception) -> HTTPException:
    match error:
        case RequestValidationError():
            described = query_errors(error.errors())
            return invalid_request(described.detail, errors=described.errors)
        case DrawingError():
            return invalid_request(str(error))
        case RefusedError(reason=Refusal.ERASED):
            return not_found("there is no prediction with this prediction_id: it was erased")
        case RefusedError():
            tomorrow = DAY_SECONDS - int(time() % DAY_SECONDS)
            headers = {"Retry-After": str(tomorrow), "RateLimit": f'"{error.reason}";r=0;t={tomorrow}'} | FEEDBACK_POLICY
            return too_many_requests(TOO_MUCH_FEEDBACK[error.reason], headers)
        case ClientDisconnect():
            return HTTPException(499, "the client closed the connection")  # nginx's code for it, in the log only
        case PredictionLogError():
            log.error("event=prediction_log_failed reason=%r", str(error))
            return unavailable(LOG_UNREACHABLE)
        case _:
            return HTTPException(500, "internal error: the service's log has the cause")


OTHERS = RequestValidationError, DrawingError, RefusedError, PredictionLogError, ClientDisconnect, Exception
HANDLERS: dict[int | type[Exception], Callable[..., Any]] = {
    StarletteHTTPException: _http_error,
    **dict.fromkeys(OTHERS, _other_error),
}
