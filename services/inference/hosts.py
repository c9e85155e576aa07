"""Allowed host names, against DNS rebinding.

A website can point its own name to this machine. Browsers then let its scripts read this service.
"""

import json
import re
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address

from deployment.problem import MEDIA_TYPE, problem
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

# Nobody can register these suffixes, or a name without a dot (localhost, frontend).
PRIVATE_SUFFIXES = (".localhost", ".local", ".internal")
ANY = "*"
PORT = re.compile(r":\d*$")


class AllowedHosts:
    """ASGI middleware that answers 421 to requests for public names other than `names`."""

    def __init__(self, app: ASGIApp, names: frozenset[str]):
        self._app, self._names = app, names
        self._is_allowed = lru_cache(64)(self._check)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = Headers(scope=scope).get("host", "") if scope["type"] == "http" else ""
        if self._is_allowed(host):
            await self._app(scope, receive, send)
            return
        detail = f"the host name {json.dumps(host[:100])} is not allowed: the operator can add it to DOODLE_HOSTS"
        await Response(problem(421, detail), 421, media_type=MEDIA_TYPE)(scope, receive, send)

    def _check(self, host: str) -> bool:
        name = PORT.sub("", host.lower())
        if "." not in name or name.endswith(PRIVATE_SUFFIXES) or not self._names.isdisjoint((name, ANY)):
            return True
        with suppress(ValueError):
            return bool(ip_address(name.strip("[]")))
        return False
