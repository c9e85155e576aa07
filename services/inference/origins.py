"""Origins: the websites, other than Doodle's own page, whose scripts may read what this service answers."""

import re

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

ORIGIN = re.compile(r"(https?)://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
OWN_PORT = {"http": ":80", "https": ":443"}


def origins(text: str) -> tuple[str, ...]:
    """Origins with spaces or commas between them, as browsers name them; ValueError, with the reason, where one is none."""
    return tuple(_origin(each) for each in text.lower().replace(",", " ").split())


def _origin(text):
    if text == "*":
        raise ValueError("'*' would let every website ask in the name of whoever looks at it: name those that may")
    match = ORIGIN.fullmatch(text)
    if not match:
        raise ValueError(
            f"{text!r} is no origin: it should look like https://example.org or http://localhost:8080, without a path"
        )
    return text.removesuffix(OWN_PORT[match[1]])


def open_to(websites: tuple[str, ...], app: ASGIApp) -> ASGIApp:
    """The app, whose answers, errors too, scripts of these websites may read. Without any it is as it was: browsers then let only
    its own origin's scripts read them."""
    if not websites:
        return app
    return CORSMiddleware(
        app,
        allow_origins=websites,
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("Authorization", "Content-Type", "X-API-Key"),
        expose_headers=("Retry-After",),
    )
