"""Pieces: the marks of a drawing, cut where digits may touch, in lines. segment.py joins them to digits."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Bools, Floats, Integers
from digitnet.images.background import averages, cells_of
from digitnet.images.components import boxes_of, label_text
from digitnet.images.cuts import cut_marks, cut_stroke
from digitnet.images.ink import image_of_ink, text_ink
from digitnet.images.normalize import DrawingError
from digitnet.images.photo import TEXT_CELLS
from digitnet.images.segment import BOTTOM, TOP, Run, candidates, line_height, text_lines
from digitnet.images.strokes import DEFAULT_BRUSH, Stroke, image_from_strokes, stroke_paths

MOST_LINES, MOST_DIGITS, MOST_CANDIDATES = 12, 64, 400
SOFT_EDGE = 0.3  # Of full ink. Fainter pixels join no marks.
# Limits of the work for each run, since a hostile drawing has many runs as large as itself.
RUN_POINTS = 200  # Of a path. They are 0.4 pixels of the image apart, as in /predict, up to four times its height.
RUN_HEIGHT = 80  # Pixels. Taller lines are reduced to less than twice this.


class Line(NamedTuple):
    """The pieces of a line, and the runs of pieces that may be digits."""

    boxes: Floats  # (pieces, 4): left, top, right and bottom, in the unit of the drawing
    is_cut: Bools  # (pieces,): the piece begins at a cut
    runs: list[Run]
    images: NDArray[np.float32]  # (runs, 28, 28)

    def box(self, run: Run) -> Floats:
        """Return the box around a run, (4,)."""
        boxes = self.boxes[run.start : run.end]
        return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def lines_from_strokes(strokes: Sequence[Stroke], brush: float = DEFAULT_BRUSH) -> list[Line]:
    """Return the lines of pen strokes, top to bottom; image_from_strokes describes the arguments.

    DrawingError for a drawing with more than MOST_LINES or MOST_CANDIDATES, too.
    """
    paths = stroke_paths(strokes, brush)
    _check_size(1, len(paths))
    if not paths:
        return []
    boxes = _boxes(paths)
    height = line_height(boxes)
    parts = [cut_stroke(path, height, _crossing(boxes, index)) for index, path in enumerate(paths)]
    pieces = [piece for part in parts for piece in part]
    is_cut = np.array([index > 0 for part in parts for index in range(len(part))])
    return _lines(
        _boxes(pieces), is_cut, lambda run: image_from_strokes([pieces[piece] for piece in run], brush, most_points=RUN_POINTS)
    )


def lines_from_pixels(pixels: Array) -> list[Line]:
    """Return the lines of a photo or a canvas, top to bottom; image_from_pixels describes the argument.

    DrawingError for an image with more than MOST_LINES or MOST_CANDIDATES, too.
    """
    ink = text_ink(pixels)
    if not ink.strength.size:
        return []
    cells, side = cells_of(ink.strength, TEXT_CELLS)
    is_mark = cells > SOFT_EDGE
    labels, count = label_text(is_mark, is_mark)
    _check_size(1, count)
    height = line_height(boxes_of(labels, count).astype(np.float64))
    labels, is_cut = cut_marks(labels, count, height)
    boxes = boxes_of(labels, len(is_cut)) * side

    unit = max(1, int(height * side) // RUN_HEIGHT)
    strength = averages(ink.strength, unit)
    rows, columns = ((np.arange(length) * unit + unit // 2) // side for length in strength.shape)
    # An incomplete cell's center may be outside.
    labels = labels[np.minimum(rows, len(labels) - 1)[:, None], np.minimum(columns, labels.shape[1] - 1)]

    def image(run: Integers) -> NDArray[np.float32]:
        left, top = (boxes[run, :2].min(axis=0) // unit).tolist()
        right, bottom = (-(-boxes[run, 2:].max(axis=0) // unit)).tolist()
        is_shown = np.zeros(len(boxes) + 1, bool)  # by label; 0 is the soft edge of the marks
        is_shown[[0, *(run + 1)]] = True
        return image_of_ink(strength[top:bottom, left:right] * is_shown[labels[top:bottom, left:right]])

    lines = _lines(boxes.astype(np.float64), is_cut, image)
    return [line._replace(boxes=line.boxes + np.array([ink.left, ink.top] * 2)) for line in lines]


def _crossing(boxes: Floats, index: int) -> Floats:
    """Return those of the boxes (n, 4) that share rows with one of them, (m, 4)."""
    shares = (boxes[:, TOP] < boxes[index, BOTTOM]) & (boxes[:, BOTTOM] > boxes[index, TOP])
    shares[index] = False
    return np.asarray(boxes[shares])


def _lines(boxes: Floats, is_cut: Bools, image: Callable[[Integers], NDArray[np.float32]]) -> list[Line]:
    """Return the lines of pieces (n, 4). `image` returns the image of some pieces."""
    _check_size(1, len(boxes))
    lines = text_lines(boxes)
    runs = [candidates(boxes[line]) for line in lines]
    _check_size(len(lines), sum(map(len, runs)))
    return [
        Line(boxes[line], is_cut[line], of_line, np.stack([image(line[start:end]) for start, end in of_line]))
        for line, of_line in zip(lines, runs)
    ]


def _check_size(lines: int, runs: int) -> None:
    if lines > MOST_LINES or runs > MOST_CANDIDATES:
        raise DrawingError(
            f"the drawing may have at most {MOST_LINES} lines and {MOST_CANDIDATES} groups of marks that may be digits:"
            " send it in parts"
        )


def _boxes(paths: Sequence[Floats]) -> NDArray[np.float64]:
    return np.array([[*path.min(axis=0), *path.max(axis=0)] for path in paths])
