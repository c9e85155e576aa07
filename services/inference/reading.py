"""Reading: from the lines of a drawing to the digits of its numbers."""

from typing import NamedTuple

import numpy as np
from digitnet.images.pieces import MOST_DIGITS, Line
from digitnet.images.segment import UNREADABLE, best_path
from numpy.typing import NDArray

from inference.errors import invalid_request
from inference.predictor import Image, Model, Prediction

UNREADABLE_MARK = "?"


class ReadDigit(NamedTuple):
    """A digit of a number, or an unreadable mark."""

    prediction: Prediction
    image: Image
    box: NDArray[np.floating]  # (4,): left, top, right, bottom, in the unit that the client sent

    @property
    def character(self) -> str:
        return str(self.prediction.digit) if self.prediction.is_digit else UNREADABLE_MARK


def read_lines(model: Model, lines: list[Line]) -> list[list[ReadDigit]]:
    """Return the digits of each line. The network scores all candidates in one batch. Raise a 422 for more than MOST_DIGITS."""
    if not lines:
        return []
    images = np.concatenate([line.images for line in lines])
    predictions = model.decision.predictions(model.network.predict_logits(images), images)
    scores = np.split(predictions.scores, np.cumsum([len(line.runs) for line in lines])[:-1])
    read, first = [], 0
    for line, of_line in zip(lines, scores):
        digits = []
        for index in best_path(line.boxes, line.is_cut, line.runs, of_line):
            image, run = line.images[index], line.runs[index]
            # Beside other digits a mark is more likely one, so the limit is lower than of /predict.
            is_digit = bool(of_line[index] > UNREADABLE)
            digits.append(
                ReadDigit(model.prediction(image, predictions, first + index)._replace(is_digit=is_digit), image, line.box(run))
            )
        read.append(digits)
        first += len(line.runs)
    if (count := sum(map(len, read))) > MOST_DIGITS:
        raise invalid_request(f"the drawing may have at most {MOST_DIGITS} digits, not {count}: send it in parts")
    return read
