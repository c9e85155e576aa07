"""How long tests wait for what happens in other processes."""

import time
from collections.abc import Callable

import httpx
import pytest

PATIENCE = 60.0  # seconds; only what is broken takes as long


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE):
    """The condition's first true value. Whatever it raises while a container is away counts as not yet."""
    deadline, problem = time.monotonic() + seconds, None
    while (asked := time.monotonic()) < deadline:
        try:
            if value := condition():
                return value
        except (httpx.HTTPError, AssertionError, LookupError, ValueError) as error:
            problem = error
        # Some conditions are commands that take half a second of a core: what is waited for has need of it, too.
        time.sleep(min(max(0.05, 2 * (time.monotonic() - asked)), 1.0))
    pytest.fail(f"waited {seconds} s in vain until {what}; the last problem was {problem!r}")
