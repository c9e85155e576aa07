"""Figures in documents that others wrote: what is absent is None, and what is no number is refused, never guessed at."""

import math
from datetime import datetime


class FigureError(ValueError):
    """Something else stands where a figure should; the message names the place."""


def figure(document: dict, *keys: str) -> float | None:
    """The number that stands under these keys, one inside the other; None where there is nothing."""
    value = _find(document, keys)
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    except OverflowError:  # JSON's whole numbers have no limit
        number = math.inf
    if not math.isfinite(number):
        raise FigureError(f"{'.'.join(keys)} is not a number: {value!r:.60}")
    return number


def timestamp(document: dict, *keys: str) -> float | None:
    """The same for a time in ISO 8601 with its time zone, in seconds since 1970."""
    value = _find(document, keys)
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        time = None
    if time is None or time.tzinfo is None:
        raise FigureError(f"{'.'.join(keys)} is not a time with its time zone: {value!r:.60}")
    return time.timestamp()


def number_in(text: str, name: str) -> float:
    """The number that a table's cell holds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FigureError(f"{name} is not a number: {text!r:.60}")
    return value


def _find(document, keys):
    value = document
    for key in keys:
        if not isinstance(value, dict):
            raise FigureError(f"{'.'.join(keys)} is not to be found: there is {value!r:.60} on the way")
        value = value.get(key)
        if value is None:
            return None
    return value
