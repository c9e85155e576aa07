"""Review feedback before training on it, because anybody can send it: flag odd feedback, with the reason.

A person decides. Quotas limit how much can be accepted without a look at each drawing.
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

SURE = 0.9  # A model with this confidence is right nine times in ten, so a different label needs a second look.
FLOOD, FLOOD_SECONDS = 30, 3600.0  # Nobody draws more in this time.
# (a number that is always accepted, the largest share of all accepted drawings), for one sender and for one day. Among 55,000
# drawings, ten do not change the network and a hundred hardly do. So neither one sender nor one day can outvote the others.
QUOTAS = {"sender": (10, 0.1), "day": (100, 0.25)}


@dataclass(frozen=True)
class Item:
    """Feedback, the model's prediction for its drawing, and its flags."""

    feedback: Feedback
    image: Bytes
    digit: int | None  # None if the model predicts no digit.
    confidence: float
    flags: tuple[str, ...]


def reviewed(feedback: Sequence[Feedback], network: Network, card: Mapping[str, object]) -> list[Item]:
    """Return all feedback, oldest first, each with its flags:

    `contradicts`     The model predicts another label, with high confidence.
    `unsure`          The model predicts another label, with low confidence.
    `no_prediction`   It has an image but no prediction id, so perhaps nobody drew it.
    `superseded`      Later feedback on the same prediction has another label.
    `duplicate`       Earlier feedback has the same drawing and label.
    `conflict`        Feedback on another prediction has the same drawing and another label.
    `flood`           Its sender sent more than FLOOD labels within an hour.
    `blank`           The drawing has no ink.
    """
    if not feedback:
        return []
    images = np.frombuffer(b"".join(each.picture for each in feedback), np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    predictions = Decision.of(card).predictions(network.predict_logits(in_unit_range(images)), images)
    answers = zip(predictions.digit.tolist(), predictions.is_digit, predictions.confidence.tolist(), strict=True)
    floods = _floods(feedback)
    last: dict[str | None, Feedback] = {each.prediction_id: each for each in feedback if each.prediction_id}
    labels = defaultdict(list)  # By drawing: (label, prediction id).
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
    """Return the ids of the feedback in floods."""
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
    """Return the item whose id begins with each of these; ReviewError if no item or several match."""
    found = []
    for beginning in beginnings:
        matching = [item for item in items if item.feedback.feedback_id.startswith(beginning)]
        if len(matching) != 1:
            raise ReviewError(f"{len(matching) or 'no'} feedback ids begin with {beginning!r}: give one that `review` lists")
        found += matching
    return found


def table(items: Sequence[Item]) -> str:
    """Return a table with a line for each item, and the count of each flag."""
    lines = [f"{'ID':8}  {'LABEL':6}  {'PREDICTION':14}  FLAGS"]
    for item in items:
        answer = f"{word(item.digit)} ({item.confidence:.1%})"
        columns = f"{item.feedback.feedback_id[:8]:8}  {word(item.feedback.actual_digit):6}  {answer:14}"
        lines.append(f"{columns}  {' '.join(item.flags)}".rstrip())
    counts = Counter(flag for item in items for flag in item.flags)
    flagged = sum(bool(item.flags) for item in items)
    summary = "".join(f", {count} {flag}" for flag, count in counts.most_common())
    return "\n".join([*lines, f"{len(items)} undecided, {flagged} of them flagged{summary}"])


def word(digit: int | None) -> str:
    return "none" if digit is None else str(digit)


def within_quotas(candidates: Sequence[Feedback], accepted: Sequence[Feedback]) -> list[Feedback]:
    """Return the candidates within every quota, in order. `accepted` counts too; unknown senders count as one sender."""
    total = len(accepted) + len(candidates)
    while True:  # A held-back drawing makes the total smaller, and each quota with it.
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
