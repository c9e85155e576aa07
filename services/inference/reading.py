"""Reading: from the lines of a drawing to the digits of its numbers, and the decision between a digit and a number."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from digitnet.arrays import Floats, Integers
from digitnet.images.normalize import DrawingError
from digitnet.images.pieces import MOST_DIGITS, Line
from digitnet.images.segment import MOST_PIECES, UNREADABLE, Run, best_path

from inference.body import Source, image_of, lines_of
from inference.predictor import Image, Model, Prediction

UNREADABLE_MARK = "?"
TALLEST = 2.1  # Of a digit in separate parts, in heights of its tallest part. Two lines are taller.
# Marks this near each other may be a letter, if one of them looks this little like a digit.
NEAR = 0.15  # of the height of the tallest digit
DOUBTFUL = -1.0  # a log probability


class ReadDigit(NamedTuple):
    """A digit of a number, or an unreadable mark."""

    prediction: Prediction
    image: Image
    box: Floats  # (4,): left, top, right, bottom, in the unit that the client sent
    prediction_id: str | None = None  # None: not logged

    @property
    def character(self) -> str:
        return str(self.prediction.digit) if self.prediction.is_digit else UNREADABLE_MARK


class ReadLine(NamedTuple):
    """The digits of a line, and the runs of pieces that they were chosen from."""

    digits: list[ReadDigit]
    line: Line
    likeliest: Integers  # (runs,): the digit that each run looks like
    scores: Floats  # (runs,): its log probability
    path: list[int]  # the runs of the digits


def read_lines(model: Model, lines: list[Line]) -> list[ReadLine]:
    """Return the digits of each line. The network scores all candidates in one batch. DrawingError for more than MOST_DIGITS."""
    if not lines:
        return []
    images = np.concatenate([line.images for line in lines])
    predictions = model.decision.predictions(model.network.predict_logits(images), images)
    starts = np.cumsum([0, *(len(line.runs) for line in lines)])
    read = []
    for line, (first, end) in zip(lines, pairwise(starts.tolist())):
        scores, digits = predictions.scores[first:end], []
        path = best_path(line.boxes, line.is_cut, line.runs, scores)
        for index in path:
            image = line.images[index]
            # Beside other digits a mark is more likely one, so the limit is lower than of /predict.
            is_digit = bool(scores[index] > UNREADABLE)
            prediction = model.prediction(image, predictions, first + index)._replace(is_digit=is_digit)
            digits.append(ReadDigit(prediction, image, line.box(line.runs[index])))
        read.append(ReadLine(digits, line, predictions.digit[first:end], scores, path))
    if (count := sum(len(line.digits) for line in read)) > MOST_DIGITS:
        raise DrawingError(f"the drawing may have at most {MOST_DIGITS} digits, not {count}: send it in parts")
    return read


def or_one_digit(model: Model, source: Source, read: list[ReadLine]) -> list[ReadLine]:
    """Return the lines that were read, or one digit.

    A few marks in several lines, or with an unreadable one among them, are a digit in separate parts if they look like one. A few
    marks with a cut are one if the whole is the likelier digit: the slash of a zero needs no cut.
    """
    boxes = np.concatenate([np.empty((0, 4)), *(line.line.boxes for line in read)])
    chosen = [(line, index) for line in read for index in line.path]
    is_sure = len(read) == 1 and all(digit.prediction.is_digit for digit in read[0].digits)
    has_cut = any(line.line.is_cut[line.line.runs[index].start] for line, index in chosen)
    if not 1 < len(boxes) <= MOST_PIECES or (is_sure and not has_cut):
        return read
    top, bottom = boxes[:, 1].min(), boxes[:, 3].max()
    if bottom - top > TALLEST * (boxes[:, 3] - boxes[:, 1]).max():
        return read
    image = image_of(source)
    predictions = model.decision.predictions((model.plan or model.network).predict_logits(image[None]), image[None])
    whole, score = model.prediction(image, predictions, 0), float(predictions.scores[0])
    if not whole.is_digit or (is_sure and score <= sum(line.scores[index] for line, index in chosen)):
        return read
    run = Run(0, len(boxes))
    line = Line(boxes, np.zeros(len(boxes), bool), [run], image[None])
    return [ReadLine([ReadDigit(whole, image, line.box(run))], line, np.array([whole.digit]), np.array([score]), [0])]


def read_number(model: Model, source: Source, whole: Prediction) -> list[ReadLine]:
    """Return the lines of a drawing if it is a number, else []. A drawing beyond the limits is no number."""
    try:
        lines = lines_of(source)
        # A single candidate is the whole drawing.
        read = or_one_digit(model, source, read_lines(model, lines)) if sum(len(line.runs) for line in lines) > 1 else []
    except DrawingError:
        return []
    return read if is_number(read, whole) else []


def is_number(lines: Sequence[ReadLine], whole: Prediction) -> bool:
    """Return whether a drawing is a number: it has several marks, and at least one is a digit. `whole` predicts it as one digit.

    A digit in separate parts, such as an 8 of two rings, looks like several lines or has an unreadable mark. The marks of a
    letter overlap, as in A, or are near each other and look little like digits, as in K. In these cases the prediction for the
    whole drawing wins.
    """
    digits = [digit for line in lines for digit in line.digits]
    are_digits = [digit.prediction.is_digit for digit in digits]
    if len(digits) < 2 or not any(are_digits):
        return False
    if whole.is_digit:
        return len(lines) == 1 and all(are_digits)
    height = max(float(digit.box[3] - digit.box[1]) for digit in digits)
    is_doubtful = min(line.scores[index] for line in lines for index in line.path) <= DOUBTFUL
    distance = NEAR * height if is_doubtful else 0.0
    return not any(_are_near(one.box, other.box, distance) for one, other in pairwise(digits))


def _are_near(one: Floats, other: Floats, distance: float) -> bool:
    """Return whether two boxes overlap, or are nearer than this distance."""
    return bool(np.all(np.minimum(one[2:], other[2:]) + distance > np.maximum(one[:2], other[:2])))


def read_fields(lines: Sequence[ReadLine], version: str, with_candidates: bool) -> dict[str, Any]:
    """Return the fields of the schema ReadResponse."""
    fields = [_line(line) | (_candidates(line) if with_candidates else {}) for line in lines]
    return {"text": "\n".join(line["text"] for line in fields), "lines": fields, "model_version": version}


def _line(line: ReadLine) -> dict[str, Any]:
    digits = [each.prediction.answer() | {"box": _box(each.box), "prediction_id": each.prediction_id} for each in line.digits]
    return {"text": "".join(digit.character for digit in line.digits), "digits": digits}


def _candidates(read: ReadLine) -> dict[str, Any]:
    line, scores = read.line, (read.scores.astype(np.float64).round(4) + 0.0).tolist()  # 0.0 instead of -0.0
    found = zip(line.runs, read.likeliest.tolist(), scores)
    return {
        "pieces": [{"box": _box(box), "is_cut": is_cut} for box, is_cut in zip(line.boxes, line.is_cut.tolist())],
        "candidates": [{"start": run.start, "end": run.end, "digit": digit, "score": score} for run, digit, score in found],
        "path": read.path,
    }


def _box(box: Floats) -> list[float]:
    """Return left, top, width and height."""
    left, top, right, bottom = box.tolist()
    return [round(value, 1) for value in (left, top, right - left, bottom - top)]
