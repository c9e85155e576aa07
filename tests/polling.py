"""How long tests wait for what happens in other processes."""

import time
from collections.abc import Callable

import httpx
import pytest

PATIENCE = 60.0  # seconds; only what is broken takes as long
AWAY = (httpx.HTTPError, AssertionError, LookupError, ValueError)


def eventually(condition: Callable[[], object], what: str, seconds: float = PATIENCE, not_yet: tuple[type[Exception], ...] = ()):
    """The condition's first true value. What it raises ends the waiting, but for what counts as `not_yet`."""
    deadline, problem = time.monotonic() + seconds, None
    while (asked := time.monotonic()) < deadline:
        try:
            if value := condition():
                return value
        except not_yet as error:
            problem = error
        # Some conditions are commands that take half a second of a core: what is waited for has need of it, too.
        time.sleep(min(max(0.05, 2 * (time.monotonic() - asked)), 1.0))
    pytest.fail(f"waited {seconds} s in vain until {what}; the last problem was {problem!r}")


@pytest.fixture(scope="session", name="eventually")
def eventually_fixture():
    """eventually(condition, "what it waits for"): poll until it holds."""
    return eventually


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE):
    """The same where containers come and go: whatever the condition raises while one is away counts as not yet."""
    return eventually(condition, what, seconds, not_yet=AWAY)
