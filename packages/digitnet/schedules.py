"""Schedules: the learning rate of each step.

Large steps make fast progress, small steps settle in a minimum. So a training takes large steps early and small steps at the end.

Each schedule takes the step, 0 to steps - 1, the number of steps, and the largest learning rate.
"""

import math
from collections.abc import Callable


def one_cycle(step: int, steps: int, peak: float, warmup: float = 0.15) -> float:
    """Rise from peak / 25 to peak during the first `warmup` share of the steps, then fall to peak / 10,000, on cosines.

    (L. Smith, "Super-convergence", 2018.)
    """
    top = warmup * steps
    if step < top:
        return _cosine(peak / 25.0, peak, step / top)
    return _cosine(peak, peak / 1e4, (step - top) / max(steps - top, 1))


def cosine(step: int, steps: int, peak: float) -> float:
    """Fall from peak to peak / 10,000 on half a cosine (Loshchilov and Hutter, "SGDR", 2017)."""
    return _cosine(peak, peak / 1e4, step / steps)


def constant(step: int, steps: int, peak: float) -> float:
    """Return the same rate for all steps: plain gradient descent."""
    return peak


SCHEDULES: dict[str, Callable[[int, int, float], float]] = {"one_cycle": one_cycle, "cosine": cosine, "constant": constant}


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) * (1.0 + math.cos(math.pi * fraction)) / 2.0
