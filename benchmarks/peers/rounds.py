"""How one side of a race talks to bench.py: "ready", then for each line that it reads a line of JSON with figures."""

import json
import sys
import time
from collections.abc import Callable


def rounds(work: Callable[[], object], times: int = 1) -> None:
    """A line each: the seconds that `work` took, the mean of so many times. Once before that, to be warm."""
    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        for _ in range(times):
            work()
        print(json.dumps({"seconds": (time.perf_counter() - began) / times}), flush=True)
