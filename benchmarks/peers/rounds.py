"""The protocol of a race: each side prints "ready", then a line of JSON with figures for each line of input."""

import json
import sys
import time
from collections.abc import Callable


def rounds(work: Callable[[], object], times: int = 1) -> None:
    """Print the mean seconds of `times` calls of `work` for each line of input, after one call that warms it up."""
    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(times):
            work()
        print(json.dumps({"seconds": (time.perf_counter() - began) / times}), flush=True)
