"""Pieces: the marks of a drawing, cut where two digits may touch. segment.py joins them to digits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Bools, Floats
from digitnet.images.normalize import DrawingError
from digitnet.images.segment import Run, candidates, line_height, text_lines
from digitnet.images.strokes import DEFAULT_BRUSH, Stroke, image_from_strokes, stroke_paths

MOST_LINES, MOST_DIGITS, MOST_CANDIDATES = 12, 64, 400
# Relative to the height of the line.
NARROWEST_PAIR = 0.8  # Of two joined digits. A narrower stroke stays whole.
MARGIN = 0.25  # Between a cut and the ends of a stroke.
COLUMNS = 64  # Of a stroke, in which a cut is searched.


class Line(NamedTuple):
    """The pieces of a line, and the runs of pieces that may be digits."""

    boxes: Floats  # (pieces, 4): left, top, right, bottom, in the pixels of the drawing
    is_cut: Bools  # (pieces,): the piece begins at a cut
    runs: list[Run]
    images: NDArray[np.float32]  # (runs, 28, 28)

    def box(self, run: Run) -> Floats:
        """Return the box around a run, (4,)."""
        boxes = self.boxes[run.start : run.end]
        return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def lines_from_strokes(strokes: Sequence[Stroke], brush: float = DEFAULT_BRUSH) -> list[Line]:
    """Return the lines of a drawing of pen strokes, top to bottom; image_from_strokes describes the arguments.

    DrawingError for a drawing beyond MOST_LINES, MOST_DIGITS and MOST_CANDIDATES, too.
    """
    paths = stroke_paths(strokes, brush)
    if not paths:
        return []
    check_size(1, len(paths))
    height = line_height(_boxes(paths))
    parts = [cut_stroke(path, height) for path in paths]
    is_cut = np.array([index > 0 for cut in parts for index in range(len(cut))])
    paths = [part for cut in parts for part in cut]
    boxes = _boxes(paths)
    lines = text_lines(boxes)
    runs = [candidates(boxes[line]) for line in lines]
    check_size(len(lines), sum(map(len, runs)))
    return [
        Line(
            boxes[line],
            is_cut[line],
            of_line,
            np.stack([image_from_strokes([paths[piece] for piece in line[start:end]], brush) for start, end in of_line]),
        )
        for line, of_line in zip(lines, runs)
    ]


def check_size(lines: int, runs: int) -> None:
    """Raise DrawingError beyond the limits."""
    if lines > MOST_LINES or runs > MOST_CANDIDATES:
        raise DrawingError(
            f"the drawing may have at most {MOST_LINES} lines and {MOST_CANDIDATES} groups of marks that may be digits:"
            " send it in parts"
        )


def cut_stroke(path: Floats, height: float) -> list[Floats]:
    """Cut a stroke (n, 2) where it may lead from one digit to the next, in a line of this height.

    That is in the middle of the columns that the pen crosses only once, as between the digits of a joined 10. Both parts have the
    point of the cut. A stroke narrower than two digits stays whole.
    """
    x = path[:, 0]
    left, right = x.min(), x.max()
    if right - left < NARROWEST_PAIR * height:
        return [path]
    columns = np.linspace(left, right, COLUMNS + 2)[1:-1]
    starts, ends = np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:])
    is_crossed_once = ((starts[:, None] < columns) & (columns <= ends[:, None])).sum(axis=0) == 1
    parts, rest = [], path if x[0] <= x[-1] else path[::-1]
    for column in _middles(columns, is_crossed_once):
        if left + MARGIN * height < column < right - MARGIN * height:
            after = int(np.argmax(rest[:, 0] >= column))
            before, ahead = rest[after - 1], rest[after]
            point = before + (ahead - before) * (column - before[0]) / (ahead[0] - before[0])
            parts.append(np.vstack([rest[:after], point]))
            rest = np.vstack([point, rest[after:]])
    return [*parts, rest]


def _middles(columns: Floats, is_chosen: Bools) -> Floats:
    """Return the middle of each interval of chosen columns."""
    edges = np.diff(np.concatenate([[0], is_chosen.astype(int), [0]])).nonzero()[0].reshape(-1, 2)
    return np.asarray((columns[edges[:, 0]] + columns[edges[:, 1] - 1]) / 2)


def _boxes(paths: Sequence[Floats]) -> NDArray[np.float64]:
    return np.array([[*path.min(axis=0), *path.max(axis=0)] for path in paths])
