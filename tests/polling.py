"""Poll for conditions in other processes."""

import time
from collections.abc import Callable

import httpx
import pytest

WAIT_SECONDS = 60.0  # only failing tests wait as long
TRANSIENT_ERRORS = (httpx.HTTPError, AssertionError, LookupError, ValueError)


def eventually(
    condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS, not_yet: tuple[type[Exception], ...] = ()
):
    """Return the condition's first true value. Exceptions of `not_yet` count as false; others are raised."""
    deadline, problem = time.monotonic() + seconds, None
    while (asked := time.monotonic()) < deadline:
        try:
            if value := condition():
                return value
        except not_yet as error:
            problem = error
        # Some conditions are commands that load a core, which the awaited process needs too.
        time.sleep(min(max(0.05, 2 * (time.monotonic() - asked)), 1.0))
    pytest.fail(f"waited {seconds} s for: {what}; the last problem was {problem!r}")


@pytest.fixture(scope="session", name="eventually")
def eventually_fixture():
    """eventually(condition, "the event"): poll until the condition holds."""
    return eventually


def wait_until(condition: Callable[[], object], what: str, seconds: float = WAIT_SECONDS):
    """Wait while containers come and go: errors of a container that is down count as not yet."""
    return eventually(condition, what, seconds, not_yet=TRANSIENT_ERRORS)
