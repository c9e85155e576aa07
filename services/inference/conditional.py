"""Conditional requests: answers with an ETag, and 304 for a client that already has the answer."""

import hashlib

from fastapi import Request, Response
from fastapi.responses import JSONResponse

CACHEABLE = {"Cache-Control": "no-cache"}  # a cache asks each time whether the answer has changed


def etag(*parts: bytes | str) -> str:
    """Return a strong entity tag of the parts that determine an answer."""
    content = b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def not_modified(request: Request, tag: str) -> Response | None:
    """Return a 304 if the client has the answer with this tag."""
    given = request.headers.get("if-none-match", "")
    known = {each.strip().removeprefix("W/") for each in given.split(",")}  # nginx weakens the tag of a compressed answer
    return Response(status_code=304, headers={"ETag": tag, **CACHEABLE}) if {tag, "*"} & known else None


def tagged(response: Response, tag: str) -> Response:
    """Return the response with its tag."""
    response.headers.update({"ETag": tag, **CACHEABLE})
    return response


def json_answer(request: Request, content: object) -> Response:
    """Return content as JSON with a tag of its bytes, or a 304."""
    response = JSONResponse(content)
    tag = etag(bytes(response.body))
    return not_modified(request, tag) or tagged(response, tag)
