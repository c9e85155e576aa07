"""Review: what users said that their drawings were, looked through before any of it is learnt from.

Anybody can send feedback, so some of it is wrong, in good faith or not. What looks odd is flagged, with the reason; what becomes
of it a person decides, and decisions.py keeps that.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from digitnet.decision import Decision
from digitnet.images.normalize import IMAGE_SIDE, in_unit_range
from digitnet.network import Network
from stores.prediction_log import Feedback

from trainer.feedback.decisions import ReviewError

SURE = (
    0.9  # from this confidence on, which is that of nine right answers in ten, a model that disagrees is a reason to look twice
)
FLOOD, FLOOD_SECONDS = 30, 3600.0  # so much from one sender in so long is more than a person draws


@dataclass(frozen=True)
class Item:
    """Feedback, what the model makes of its drawing, and what is odd about it."""

    feedback: Feedback
    digit: int | None  # None: the model takes it for no digit
    confidence: float
    flags: tuple[str, ...]

    @property
    def image(self) -> np.ndarray:
        return _image(self.feedback)


def reviewed(feedback: Sequence[Feedback], network: Network, card: dict) -> list[Item]:
    """All feedback, oldest first, each with its flags:

    contradicts   the model is sure that it is something else
    unsure        the model's best guess is something else, but it is not sure
    no_prediction it came with an image instead of a prediction, so nobody may have drawn it
    superseded    later feedback to the same prediction says something else
    duplicate     the same drawing was called the same before
    conflict      the same drawing was called something else, in another prediction
    flood         one of very many from the same sender within an hour
    blank         there is no ink
    """
    if not feedback:
        return []
    images = in_unit_range(np.stack([_image(each) for each in feedback]))
    found = Decision.of(card).predictions(network.predict_logits(images), images)
    floods, last = _floods(feedback), {each.prediction_id: each for each in feedback if each.prediction_id}
    said = {}  # by drawing: what it was called, and in which prediction
    for each in feedback:
        said.setdefault(each.picture, []).append((each.actual_digit, each.prediction_id))
    items, seen = [], set()
    for index, each in enumerate(feedback):
        digit = int(found.digit[index]) if found.is_digit[index] else None
        confidence = float(found.confidence[index])
        sure = confidence >= SURE
        later = last.get(each.prediction_id)
        others = [label for label, prediction in said[each.picture] if prediction is None or prediction != each.prediction_id]
        flags = {
            "contradicts": sure and digit != each.actual_digit,
            "unsure": not sure and digit != each.actual_digit,
            "no_prediction": each.prediction_id is None,
            "superseded": later is not None and later is not each and later.actual_digit != each.actual_digit,
            "duplicate": (each.picture, each.actual_digit) in seen,
            "conflict": any(label != each.actual_digit for label in others),
            "flood": each.feedback_id in floods,
            "blank": not any(each.picture),
        }
        seen.add((each.picture, each.actual_digit))
        items.append(Item(each, digit, confidence, tuple(name for name, is_so in flags.items() if is_so)))
    return items


def _floods(feedback):
    """The ids of what is part of a flood."""
    by_source, floods = {}, set()
    for each in sorted(feedback, key=lambda each: each.time):
        if each.source is not None:
            by_source.setdefault(each.source, []).append(each)
    for sent in by_source.values():
        for start, (first, last) in enumerate(zip(sent, sent[FLOOD:])):
            if last.time - first.time <= FLOOD_SECONDS:
                floods.update(each.feedback_id for each in sent[start : start + FLOOD + 1])
    return floods


def chosen(items: Sequence[Item], beginnings: Sequence[str]) -> list[Item]:
    """Those whose ids begin so; ReviewError for a beginning that fits none, or several."""
    found = []
    for beginning in beginnings:
        fitting = [item for item in items if item.feedback.feedback_id.startswith(beginning)]
        if len(fitting) != 1:
            raise ReviewError(
                f"{len(fitting) or 'no'} feedback has an id that begins with {beginning!r}: give one that `review` lists"
            )
        found += fitting
    return found


def table(items: Sequence[Item]) -> str:
    """A line for each, and what there is of each flag."""
    lines = [f"{'ID':8}  {'SAID':6}  {'READ AS':14}  FLAGS"]
    for item in items:
        read = f"{word(item.digit)} ({item.confidence:.1%})"
        lines.append(
            f"{item.feedback.feedback_id[:8]:8}  {word(item.feedback.actual_digit):6}  {read:14}  {' '.join(item.flags)}".rstrip()
        )
    counts = Counter(flag for item in items for flag in item.flags)
    flagged = sum(bool(item.flags) for item in items)
    summary = "".join(f", {count} {flag}" for flag, count in counts.most_common())
    return "\n".join([*lines, f"{len(items)} to decide on, {flagged} of them flagged{summary}"])


def word(digit: int | None) -> str:
    return "none" if digit is None else str(digit)


def _image(feedback):
    return np.frombuffer(feedback.picture, np.uint8).reshape(IMAGE_SIDE, IMAGE_SIDE)
