"""Decisions on users' feedback, in a folder of their own: accepted.jsonl has the drawings to learn from, rejected.jsonl only the
ids and labels of the others."""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
from digitnet.checkpoint import write_atomically
from digitnet.images.normalize import IMAGE_SIDE
from digitnet.network import NO_DIGIT
from stores.prediction_log import Feedback

ACCEPTED, REJECTED = "accepted.jsonl", "rejected.jsonl"
NO_LINES = "\n"  # dvc warns of a file that is empty


class ReviewError(ValueError):
    """What was asked for cannot be done; the message says why."""


class Decisions:
    """What was accepted and what rejected, in a folder. A decision may be changed: the last one holds."""

    def __init__(self, folder: Path):
        self.folder = folder

    def decided(self) -> set[str]:
        """The ids of what was decided on."""
        return {line["feedback_id"] for name in (ACCEPTED, REJECTED) for line in self._lines(name)}

    def accepted(self) -> list[dict]:
        """Return the lines: feedback_id, actual_digit (None: no digit), image (784 bytes in base64), prediction (hidden)."""
        return self._lines(ACCEPTED)

    def accepted_drawings(self) -> tuple[np.ndarray, np.ndarray]:
        """The same as images, uint8 (n, 28, 28), and labels, uint8 (n,): 0 to 9, or 10 for what is no digit."""
        lines = self.accepted()
        images = [np.frombuffer(base64.b64decode(line["picture"]), np.uint8) for line in lines]
        labels = [NO_DIGIT if line["actual_digit"] is None else line["actual_digit"] for line in lines]
        return np.array(images, np.uint8).reshape(len(lines), IMAGE_SIDE, IMAGE_SIDE), np.array(labels, np.uint8)

    def accept(self, feedback: Iterable[Feedback]) -> None:
        self._decide(ACCEPTED, REJECTED, feedback)

    def reject(self, feedback: Iterable[Feedback]) -> None:
        self._decide(REJECTED, ACCEPTED, feedback)

    def forget(self, ids: Collection[str]) -> set[str]:
        """Drop the decisions on feedback with these ids, its own or its prediction's; return the ids that fitted one.

        Drawings that older versions kept in rejected.jsonl go too.
        """
        names = {id_: id_ for id_ in ids} | {hidden(id_): id_ for id_ in ids}
        lines = {name: self._lines(name) for name in (ACCEPTED, REJECTED)}  # both, before either is written
        found = set()
        for name in lines:
            kept = []
            for line in lines[name]:
                fitting = {names[key] for key in (line["feedback_id"], line.get("prediction")) if key in names}
                found |= fitting
                if not fitting:
                    kept.append(line)
            if len(kept) < len(lines[name]) or name == REJECTED:
                self._write(name, kept)
        return found

    def _decide(self, name, other, feedback):
        lines = {each.feedback_id: _line(each, name) for each in feedback}
        # Both are read before either is written: where one is damaged nothing changes.
        others, kept = ([line for line in self._lines(file) if line["feedback_id"] not in lines] for file in (other, name))
        # First out of the other file: whoever is stopped in between has to decide again, but nothing is both.
        self._write(other, others)
        self._write(name, [*kept, *lines.values()])

    def _lines(self, name):
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ReviewError(f"{path} cannot be read ({error.strerror})") from error
        lines = []
        for number, line in enumerate(content.split(b"\n"), start=1):
            try:
                if line.strip():
                    lines.append(_checked(json.loads(line), name))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise ReviewError(f"{path} is damaged in line {number} ({error}): mend it, or move it away") from error
        return lines

    def _write(self, name, lines):
        """One line each, in the order of their ids: the same decisions are the same file, in whatever order they were made."""
        if lines or (self.folder / name).exists():
            ordered = sorted(lines, key=lambda line: line["feedback_id"])
            text = "".join(f"{json.dumps(line)}\n" for line in ordered)
            write_atomically(self.folder / name, (text or NO_LINES).encode())


def hidden(prediction_id: str) -> str:
    """Return a name for a prediction that does not tell its id, because anybody who knows the id may erase the drawing."""
    return hashlib.sha256(prediction_id.encode(errors="surrogatepass")).hexdigest()[:32]


def _line(feedback, name):
    line = {"feedback_id": feedback.feedback_id, "actual_digit": feedback.actual_digit}
    if name == ACCEPTED:
        line["picture"] = base64.b64encode(feedback.picture).decode()
        if feedback.prediction_id is not None:
            line["prediction"] = hidden(feedback.prediction_id)
    return line


def _checked(line, name):
    """Return the line; of rejected feedback without the drawing that older versions kept."""
    digit = line["actual_digit"]
    is_digit = isinstance(digit, int) and not isinstance(digit, bool) and 0 <= digit <= 9
    if not isinstance(line["feedback_id"], str) or not (digit is None or is_digit):
        raise ValueError(f"no decision on feedback: {str(line)[:80]}")
    if not isinstance(line.get("prediction"), str | None):
        raise ValueError(f"the prediction of {line['feedback_id'][:80]} is no text")
    if name == REJECTED and "picture" not in line:
        return line
    if len(base64.b64decode(line["picture"], validate=True)) != IMAGE_SIDE**2:
        raise ValueError(f"the picture of {line['feedback_id'][:80]} is not {IMAGE_SIDE**2} bytes")
    if name == REJECTED:
        del line["picture"]
    return line
