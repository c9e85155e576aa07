"""Cross-origin access: the websites, other than Doodle's own page, whose scripts may read this service's answers."""

import re

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

ORIGIN = re.compile(r"(https?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def parse_origins(text: str) -> tuple[str, ...]:
    """Return the origins in a text, separated by spaces or commas, as browsers name them. ValueError for a bad one."""
    return tuple(map(_origin, text.lower().replace(",", " ").split()))


def _origin(text: str) -> str:
    if text == "*":
        raise ValueError("'*' would let every website ask in the name of whoever looks at it: name those that may")
    match = ORIGIN.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is no origin: it should look like https://example.org or http://localhost:8080, without a path"
        )
    return text.removesuffix(DEFAULT_PORTS[match[1]])


def with_cors(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """Return the app with answers, errors too, that scripts of these websites may read."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("Authorization", "Content-Type", "X-API-Key"),
        expose_headers=("Retry-After",),
    )
