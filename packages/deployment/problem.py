"""Problems: the form of every HTTP error, as in RFC 9457. services/frontend/nginx.conf writes the same fields."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from deployment.request_id import REQUEST_ID

MEDIA_TYPE = "application/problem+json"
# Python 3.11 has older names of some.
NEWER = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
TITLES = {status.value: status.phrase for status in HTTPStatus} | NEWER


def problem(status: int, detail: str, errors: Sequence[Mapping[str, str]] = ()) -> bytes:
    """Return the JSON of a problem. `errors` name places in the request, by a JSON pointer or a query parameter."""
    fields = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    return json.dumps({**fields, "errors": list(errors), "request_id": REQUEST_ID.get()}).encode()
