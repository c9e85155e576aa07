"""The protocol of a race: each side prints "ready", then a line of JSON with figures for each line of input."""

import json
import sys
import time
from collections.abc import Callable


def rounds(work: Callable[[], object], times: int = 1, clock: Callable[[], float] = time.perf_counter) -> None:
    """Print the mean time of `times` calls of `work` for each line of input, after one call that warms it up."""
    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = clock()
        for _ in range(times):
            work()
        seconds = (clock() - began) / times
        print(json.dumps({"seconds": seconds, "mean_ms": seconds * 1e3}), flush=True)
