"""Keep the decisions on feedback: accepted.jsonl has the drawings to train on, rejected.jsonl only ids and labels."""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import numpy as np
from digitnet.arrays import IMAGE_SIDE, Bytes
from digitnet.checkpoint import write_atomically
from digitnet.network import DIGITS, NO_DIGIT
from pydantic import Base64Bytes, BaseModel, Field, ValidationError
from stores.prediction_log import Feedback

ACCEPTED, REJECTED = "accepted.jsonl", "rejected.jsonl"
NO_LINES = "\n"  # dvc warns about empty files


class ReviewError(ValueError):
    """The command cannot run; the message says why."""


ImageBytes = Annotated[Base64Bytes, Field(min_length=IMAGE_SIDE**2, max_length=IMAGE_SIDE**2)]


class Line(BaseModel, strict=True):
    """A decision: one line of a file."""

    feedback_id: str
    actual_digit: Annotated[int, Field(ge=0, lt=DIGITS)] | None  # None: no digit
    picture: ImageBytes = b""
    prediction: str | None = None  # hashed by hidden()


class AcceptedLine(Line):
    picture: ImageBytes


class Decisions:
    """The accepted and the rejected feedback, in a folder. The last decision on an id holds."""

    def __init__(self, folder: Path):
        self.folder = folder

    def decided(self) -> set[str]:
        """Return the ids of all decided feedback."""
        return {line.feedback_id for name in (ACCEPTED, REJECTED) for line in self._lines(name)}

    def accepted(self) -> list[Line]:
        return self._lines(ACCEPTED)

    def accepted_drawings(self) -> tuple[Bytes, Bytes]:
        """Return the accepted images, uint8 (n, 28, 28), and labels, uint8 (n,): 0 to 9, or 10 for no digit."""
        lines = self.accepted()
        images = np.frombuffer(b"".join(line.picture for line in lines), np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
        return images, np.array([NO_DIGIT if line.actual_digit is None else line.actual_digit for line in lines], np.uint8)

    def accept(self, feedback: Iterable[Feedback]) -> None:
        self._decide(ACCEPTED, REJECTED, feedback)

    def reject(self, feedback: Iterable[Feedback]) -> None:
        self._decide(REJECTED, ACCEPTED, feedback)

    def forget(self, ids: Collection[str]) -> set[str]:
        """Drop the decisions on feedback with these feedback or prediction ids; return the ids that matched."""
        names = {id_: id_ for id_ in ids} | {hidden(id_): id_ for id_ in ids}
        lines = {name: self._lines(name) for name in (ACCEPTED, REJECTED)}  # both, before either is written
        found = set()
        for name in lines:
            matching = [{names[key] for key in (line.feedback_id, line.prediction) if key in names} for line in lines[name]]
            found |= set[str]().union(*matching)
            if any(matching):
                self._write(name, [line for line, matches in zip(lines[name], matching) if not matches])
        return found

    def _decide(self, name: str, other: str, feedback: Iterable[Feedback]) -> None:
        lines = {each.feedback_id: _line(each) for each in feedback}
        # Read both before writing either, so that a damaged file changes nothing.
        others, kept = ([line for line in self._lines(file) if line.feedback_id not in lines] for file in (other, name))
        # Remove from the other file first: after a stop in between, the feedback is undecided instead of decided twice.
        self._write(other, others)
        self._write(name, [*kept, *lines.values()])

    def _lines(self, name: str) -> list[Line]:
        path, lines = self.folder / name, list[Line]()
        content = path.read_bytes() if path.exists() else b""
        for number, text in enumerate(content.split(b"\n"), start=1):
            if not text.strip():
                continue
            try:
                lines.append((AcceptedLine if name == ACCEPTED else Line).model_validate_json(text))
            except ValidationError as error:
                wrong = error.errors()[0]
                reason = ": ".join([*map(str, wrong["loc"]), wrong["msg"]])
                raise ReviewError(f"{path} is damaged in line {number} ({reason}): repair it, or move the file away") from error
        return lines

    def _write(self, name: str, lines: Iterable[Line]) -> None:
        """Write the lines sorted by id, so that the order of decisions does not change the file."""
        ordered = sorted(lines, key=lambda line: line.feedback_id)
        if ordered or (self.folder / name).exists():
            left_out = {"picture", "prediction"} if name == REJECTED else None
            dumped = [json.dumps(line.model_dump(mode="json", exclude_unset=True, exclude=left_out)) for line in ordered]
            write_atomically(self.folder / name, ("".join(f"{line}\n" for line in dumped) or NO_LINES).encode())


def hidden(prediction_id: str) -> str:
    """Return a hash of a prediction id, which is a secret: a client that knows it may erase the drawing."""
    return hashlib.sha256(prediction_id.encode(errors="surrogatepass")).hexdigest()[:32]


def _line(feedback: Feedback) -> Line:
    prediction = {} if feedback.prediction_id is None else {"prediction": hidden(feedback.prediction_id)}
    picture = base64.b64encode(feedback.picture)
    return Line(feedback_id=feedback.feedback_id, actual_digit=feedback.actual_digit, picture=picture, **prediction)
