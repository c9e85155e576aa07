"""Review: what users said that their drawings were, looked through before any of it is learnt from.

Anybody can send feedback, so some of it is wrong, in good faith or not. What looks odd is flagged, with the reason; what becomes
of it a person decides. Decisions are kept in a folder of their own: accepted.jsonl has the drawings that may be learnt from,
rejected.jsonl those that may not.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from digitnet.checkpoint import write_atomically
from digitnet.drawing import PICTURE_SIDE, in_unit_range
from digitnet.network import Network
from stores.journal import Feedback

ACCEPTED, REJECTED = "accepted.jsonl", "rejected.jsonl"
SURE = 0.99  # from this confidence on a model that disagrees is a reason to look twice
FLOOD, FLOOD_SECONDS = 30, 3600.0  # so much from one sender in so long is more than a person draws


class ReviewError(ValueError):
    """What was asked for cannot be done; the message says why."""


@dataclass(frozen=True)
class Item:
    """Feedback, what the model makes of its drawing, and what is odd about it."""

    feedback: Feedback
    digit: int | None  # None: the model takes it for no digit
    confidence: float
    flags: tuple[str, ...]

    @property
    def picture(self) -> np.ndarray:
        return _picture(self.feedback)


def reviewed(feedback: Sequence[Feedback], network: Network, card: dict) -> list[Item]:
    """All feedback, oldest first, each with its flags:

    contradicts   the model is sure that it is something else
    superseded    later feedback to the same prediction says something else
    duplicate     the same drawing was called the same before
    conflict      the same drawing was called something else, in another prediction
    flood         one of very many from the same sender within an hour
    blank         there is no ink
    """
    if not feedback:
        return []
    pictures = in_unit_range(np.stack([_picture(each) for each in feedback]))
    probabilities, no_digit = network.read(pictures, card.get("temperature", 1.0))
    rejected = no_digit > card.get("no_digit_threshold", 1.0)
    floods, last = _floods(feedback), {each.prediction_id: each for each in feedback if each.prediction_id}
    said = {}  # by drawing: what it was called, and in which prediction
    for each in feedback:
        said.setdefault(each.picture, []).append((each.actual_digit, each.prediction_id))
    items, seen = [], set()
    for index, each in enumerate(feedback):
        digit = None if rejected[index] else int(probabilities[index].argmax())
        sure = no_digit[index] >= SURE if digit is None else probabilities[index].max() >= SURE
        later = last.get(each.prediction_id)
        others = [label for label, prediction in said[each.picture] if prediction is None or prediction != each.prediction_id]
        flags = {
            "contradicts": bool(sure) and digit != each.actual_digit,
            "superseded": later is not None and later is not each and later.actual_digit != each.actual_digit,
            "duplicate": (each.picture, each.actual_digit) in seen,
            "conflict": any(label != each.actual_digit for label in others),
            "flood": each.feedback_id in floods,
            "blank": not any(each.picture),
        }
        seen.add((each.picture, each.actual_digit))
        confidence = float(no_digit[index] if digit is None else probabilities[index].max())
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


class Decisions:
    """What was accepted and what rejected, in a folder. A decision may be changed: the last one holds."""

    def __init__(self, folder: Path):
        self.folder = folder

    def decided(self) -> set[str]:
        """The ids of what was decided on."""
        return {line["feedback_id"] for name in (ACCEPTED, REJECTED) for line in self._lines(name)}

    def accepted(self) -> list[dict]:
        """As in the file: feedback_id, actual_digit (None: no digit), and picture, 784 bytes in base64."""
        return self._lines(ACCEPTED)

    def accept(self, items: Iterable[Item]) -> None:
        self._decide(ACCEPTED, REJECTED, items)

    def reject(self, items: Iterable[Item]) -> None:
        self._decide(REJECTED, ACCEPTED, items)

    def _decide(self, name, other, items):
        lines = {item.feedback.feedback_id: _line(item.feedback) for item in items}
        # First out of the other file: whoever is stopped in between has to decide again, but nothing is both.
        self._write(other, [line for line in self._lines(other) if line["feedback_id"] not in lines])
        kept = [line for line in self._lines(name) if line["feedback_id"] not in lines]
        self._write(name, [*kept, *lines.values()])

    def _lines(self, name):
        path = self.folder / name
        if not path.exists():
            return []
        try:
            lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            for line in lines:
                _check(line)
        except (ValueError, KeyError, TypeError) as error:
            raise ReviewError(f"{path} is damaged ({error}): mend it, or move it away") from error
        return lines

    def _write(self, name, lines):
        """One line each, in the order of their ids: the same decisions are the same file, in whatever order they were made."""
        if lines or (self.folder / name).exists():
            ordered = sorted(lines, key=lambda line: line["feedback_id"])
            write_atomically(self.folder / name, "".join(f"{json.dumps(line)}\n" for line in ordered).encode())


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


def _picture(feedback):
    return np.frombuffer(feedback.picture, np.uint8).reshape(PICTURE_SIDE, PICTURE_SIDE)


def _line(feedback):
    return {
        "feedback_id": feedback.feedback_id,
        "actual_digit": feedback.actual_digit,
        "picture": base64.b64encode(feedback.picture).decode(),
    }


def _check(line):
    if not isinstance(line["feedback_id"], str) or line["actual_digit"] not in (None, *range(10)):
        raise ValueError(f"no decision on feedback: {str(line)[:80]}")
    if len(base64.b64decode(line["picture"], validate=True)) != PICTURE_SIDE**2:
        raise ValueError(f"the picture of {line['feedback_id']} is not {PICTURE_SIDE**2} bytes")
