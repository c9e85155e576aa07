"""Review feedback before the network is trained on it, because anybody can send it: flag what is odd, with the reason.

A person decides. Quotas limit what is accepted without a look at each drawing.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from digitnet.arrays import IMAGE_SIDE, Bytes
from digitnet.decision import Decision, is_blank
from digitnet.images.normalize import in_unit_range
from digitnet.network import Network
from stores.prediction_log import Feedback
from stores.prediction_log.base import DAY_SECONDS

from trainer.feedback.decisions import ReviewError

SURE = 0.9  # the confidence of nine right answers in ten: a model that is as sure and disagrees is a reason to look twice
FLOOD, FLOOD_SECONDS = 30, 3600.0  # more from one sender in this time than a person draws
# For one sender and one day: a number that is always accepted, and beyond it a share of all accepted drawings. Ten drawings in
# 55,000 change no network, and a hundred hardly do. Neither a sender nor a day outvotes the others.
QUOTAS = {"sender": (10, 0.1), "day": (100, 0.25)}


@dataclass(frozen=True)
class Item:
    """Feedback, the model's answer to its drawing, and what is odd about it."""

    feedback: Feedback
    image: Bytes
    digit: int | None  # None: the model takes it for no digit
    confidence: float
    flags: tuple[str, ...]


def reviewed(feedback: Sequence[Feedback], network: Network, card: Mapping[str, object]) -> list[Item]:
    """Return all feedback, oldest first, each with its flags:

    contradicts   the model is sure that it is something else
    unsure        the model's best guess is something else, but it is not sure
    no_prediction it came with an image instead of a prediction, so perhaps nobody drew it
    superseded    later feedback to the same prediction says something else
    duplicate     the same drawing was called the same before
    conflict      the same drawing was called something else, in another prediction
    flood         one of very many from the same sender within an hour
    blank         there is no ink
    """
    if not feedback:
        return []
    images = np.frombuffer(b"".join(each.picture for each in feedback), np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    predictions = Decision.of(card).predictions(network.predict_logits(in_unit_range(images)), images)
    answers = zip(predictions.digit.tolist(), predictions.is_digit, predictions.confidence.tolist(), strict=True)
    floods = _floods(feedback)
    last: dict[str | None, Feedback] = {each.prediction_id: each for each in feedback if each.prediction_id}
    labels = defaultdict(list)  # by drawing: what it was called, and in which prediction
    for each in feedback:
        labels[each.picture].append((each.actual_digit, each.prediction_id))
    items, seen = list[Item](), set()
    for each, image, blank, (likeliest, is_digit, confidence) in zip(feedback, images, is_blank(images), answers, strict=True):
        digit = likeliest if is_digit else None
        later = last.get(each.prediction_id)
        others = [label for label, prediction in labels[each.picture] if prediction is None or prediction != each.prediction_id]
        flags = {
            "contradicts": digit != each.actual_digit and confidence >= SURE,
            "unsure": digit != each.actual_digit and confidence < SURE,
            "no_prediction": each.prediction_id is None,
            "superseded": later is not None and later is not each and later.actual_digit != each.actual_digit,
            "duplicate": (each.picture, each.actual_digit) in seen,
            "conflict": any(label != each.actual_digit for label in others),
            "flood": each.feedback_id in floods,
            "blank": blank,
        }
        seen.add((each.picture, each.actual_digit))
        items.append(Item(each, image, digit, confidence, tuple(name for name, is_so in flags.items() if is_so)))
    return items


def _floods(feedback: Sequence[Feedback]) -> set[str]:
    """Return the ids of feedback that is part of a flood."""
    by_source, floods = defaultdict(list), set[str]()
    for each in sorted(feedback, key=lambda each: each.time):
        if each.source is not None:
            by_source[each.source].append(each)
    for sent in by_source.values():
        for start, (first, last) in enumerate(zip(sent, sent[FLOOD:])):
            if last.time - first.time <= FLOOD_SECONDS:
                floods.update(each.feedback_id for each in sent[start : start + FLOOD + 1])
    return floods


def chosen(items: Sequence[Item], beginnings: Sequence[str]) -> list[Item]:
    """Return the items whose ids begin so; ReviewError for a beginning that fits none, or several."""
    found = []
    for beginning in beginnings:
        fitting = [item for item in items if item.feedback.feedback_id.startswith(beginning)]
        if len(fitting) != 1:
            count = len(fitting) or "no"
            raise ReviewError(f"{count} feedback has an id that begins with {beginning!r}: give one that `review` lists")
        found += fitting
    return found


def table(items: Sequence[Item]) -> str:
    """Return a line for each item, and the count of each flag."""
    lines = [f"{'ID':8}  {'SAID':6}  {'READ AS':14}  FLAGS"]
    for item in items:
        answer = f"{word(item.digit)} ({item.confidence:.1%})"
        columns = f"{item.feedback.feedback_id[:8]:8}  {word(item.feedback.actual_digit):6}  {answer:14}"
        lines.append(f"{columns}  {' '.join(item.flags)}".rstrip())
    counts = Counter(flag for item in items for flag in item.flags)
    flagged = sum(bool(item.flags) for item in items)
    summary = "".join(f", {count} {flag}" for flag, count in counts.most_common())
    return "\n".join([*lines, f"{len(items)} to decide on, {flagged} of them flagged{summary}"])


def word(digit: int | None) -> str:
    return "none" if digit is None else str(digit)


def within_quotas(candidates: Sequence[Feedback], accepted: Sequence[Feedback]) -> list[Feedback]:
    """Return the candidates that keep every quota, in order. `accepted` counts too; unknown senders are one sender."""
    total = len(accepted) + len(candidates)
    while True:  # each drawing that is held back makes the whole smaller, and its shares too
        limits = {kind: max(number, int(share * total)) for kind, (number, share) in QUOTAS.items()}
        chosen, counts = list[Feedback](), Counter(group for each in accepted for group in _groups(each))
        for each in candidates:
            if all(counts[kind, group] < limits[kind] for kind, group in _groups(each)):
                chosen.append(each)
                counts.update(_groups(each))
        if len(accepted) + len(chosen) == total:
            return chosen
        total = len(accepted) + len(chosen)


def _groups(feedback: Feedback) -> tuple[tuple[str, str | int | None], ...]:
    return (("sender", feedback.source), ("day", int(feedback.time // DAY_SECONDS)))
