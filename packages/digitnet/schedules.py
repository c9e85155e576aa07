"""Schedules: the learning rate of each step, from the first to the last.

Large steps learn fast and small steps settle, so a run takes large steps early and small steps at its end.
"""

import math
from collections.abc import Callable


def one_cycle(step: int, steps: int, peak: float, warmup: float = 0.15) -> float:
    """Rise from peak / 25 to peak during the first `warmup` part of the steps, then fall to almost nothing, on cosines.

    (L. Smith, "Super-convergence", 2018.) `step` runs from 0 to steps - 1.
    """
    top = warmup * steps
    if step < top:
        return _cosine(peak / 25.0, peak, step / top)
    return _cosine(peak, peak / 1e4, (step - top) / max(steps - top, 1))


def cosine(step: int, steps: int, peak: float) -> float:
    """Fall from peak to almost nothing on half a cosine (Loshchilov and Hutter, "SGDR", 2017)."""
    return _cosine(peak, peak / 1e4, step / steps)


def constant(step: int, steps: int, peak: float) -> float:
    """Keep the same rate from the first step to the last: plain gradient descent."""
    return peak


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {"one_cycle": one_cycle, "cosine": cosine, "constant": constant}


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * fraction)) / 2.0
