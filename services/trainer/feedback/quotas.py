"""Limit how much feedback of one sender, and of one day, is accepted without a look at each drawing."""

from collections import Counter
from collections.abc import Sequence

from stores.prediction_log import Feedback
from stores.prediction_log.base import DAY_SECONDS

# For one sender and one day: a number that is always accepted, and beyond it a share of all accepted drawings. Ten drawings in
# 55,000 change no network, and a hundred hardly do. Neither a sender nor a day outvotes the others.
QUOTAS = {"sender": (10, 0.1), "day": (100, 0.25)}


def within_quotas(candidates: Sequence[Feedback], accepted: Sequence[Feedback]) -> tuple[list[Feedback], Counter[str]]:
    """Return the candidates that keep every quota, in order, and how many are held back for which one.

    `accepted` counts too: accepting twice accepts no more than once. Unknown senders are one sender.
    """
    total = len(accepted) + len(candidates)
    while True:  # each drawing that is held back makes the whole smaller, and its shares too
        limits = {kind: max(number, int(share * total)) for kind, (number, share) in QUOTAS.items()}
        chosen, held_back = list[Feedback](), Counter[str]()
        counts = Counter(group for each in accepted for group in _groups(each))
        for each in candidates:
            full = [kind for kind, group in _groups(each) if counts[kind, group] >= limits[kind]]
            if full:
                held_back[full[0]] += 1
            else:
                chosen.append(each)
                counts.update(_groups(each))
        if len(accepted) + len(chosen) == total:
            return chosen, held_back
        total = len(accepted) + len(chosen)


def _groups(feedback: Feedback) -> tuple[tuple[str, str | int | None], ...]:
    return (("sender", feedback.source), ("day", int(feedback.time // DAY_SECONDS)))


def explained(held_back: Counter[str]) -> str:
    """Say in words how many were held back and why; "" for none."""
    reasons = [
        f"{count} of {kind}s with more than their share ({QUOTAS[kind][0]} of one, or {QUOTAS[kind][1]:.0%})"
        for kind, count in held_back.items()
    ]
    return f"; held back {', '.join(reasons)}: accept these by their ids" if reasons else ""
