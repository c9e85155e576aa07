"""Request ids: clients may name a request, to find it in the logs of nginx and of the services."""

import os
import re
from contextvars import ContextVar

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")  # of the request that this task answers
ACCEPTED = re.compile(r"[\w.:-]{1,64}", re.ASCII)  # as in services/frontend/nginx.conf


def begin_request(name: str | None) -> str:
    """Set and return the id of the current request: the client's `name`, or a new id if it is missing or not plain."""
    request_id = name if name and ACCEPTED.fullmatch(name) else os.urandom(16).hex()
    REQUEST_ID.set(request_id)
    return request_id
