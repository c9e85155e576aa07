"""Cross-origin access: the websites, other than Doodle's own page, whose scripts may read this service's answers."""

import re

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")


def parse_origins(text: str) -> tuple[str, ...]:
    """Return the origins in a text, separated by spaces or commas, as browsers name them. ValueError for a bad one."""
    origins = text.lower().replace(",", " ").split()
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is no origin: it should look like https://example.org or http://localhost:8080")
    return tuple(origins)


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
