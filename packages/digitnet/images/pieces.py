"""Pieces: the marks of a drawing, cut where two digits may touch. segment.py joins them to digits."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Array, Bools, Floats, Integers
from digitnet.images.background import cells_of
from digitnet.images.components import boxes_of, connected_components
from digitnet.images.ink import TEXT_CELLS, image_of_ink, text_ink
from digitnet.images.normalize import DrawingError
from digitnet.images.segment import Run, candidates, line_height, text_lines
from digitnet.images.strokes import DEFAULT_BRUSH, Stroke, image_from_strokes, stroke_paths

MOST_LINES, MOST_DIGITS, MOST_CANDIDATES = 12, 64, 400
# Relative to the height of the line.
NARROWEST_PAIR = 0.8  # Of two joined digits. A narrower stroke stays whole.
MARGIN = 0.25  # Between a cut and the ends of a stroke.
THICKEST_CUT = 0.35  # Of the ink in a column with a cut.
EDGE = 0.3  # Of full ink. Fainter pixels are the soft edge of a mark.
SMALLEST_MARK = 0.12  # Relative to the largest mark of an image. Smaller ones are specks.
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


def lines_from_pixels(pixels: Array) -> list[Line]:
    """Return the lines of a photo or canvas, top to bottom; image_from_pixels describes the argument.

    DrawingError for more than MOST_LINES and MOST_CANDIDATES, too.
    """
    ink = text_ink(pixels)
    if not ink.strength.size:
        return []
    cells, side = cells_of(ink.strength, TEXT_CELLS)
    labels, count = connected_components(cells > EDGE)
    boxes = boxes_of(labels, count)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    labels, boxes = _relabeled(labels, boxes, sizes > SMALLEST_MARK * sizes.max())
    check_size(1, len(boxes))
    labels, boxes, is_cut = _with_cuts(labels, boxes, line_height(boxes))
    lines = text_lines(boxes)
    runs = [candidates(boxes[line]) for line in lines]
    check_size(len(lines), sum(map(len, runs)))
    corner = np.array([ink.left, ink.top] * 2)
    return [
        Line(
            boxes[line] * side + corner,
            is_cut[line],
            of_line,
            np.stack([_image_of(ink.strength, side, labels, boxes, line[start:end]) for start, end in of_line]),
        )
        for line, of_line in zip(lines, runs)
    ]


def _relabeled(labels: Integers, boxes: Integers, kept: Bools) -> tuple[Integers, Integers]:
    """Number the kept marks 1, 2, …, and give the others 0."""
    numbers = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)])
    return numbers[labels], boxes[kept]


def _with_cuts(labels: Integers, boxes: Integers, height: float) -> tuple[Integers, Floats, Bools]:
    """Cut wide marks where their ink is thin; return labels, boxes and which marks begin at a cut."""
    labels, found, is_cut = labels.copy(), [], []
    number = 0
    pieces = []
    for mark, (left, top, right, bottom) in enumerate(boxes.tolist(), 1):
        columns = labels[top:bottom, left:right] == mark
        edges = [left, *(left + cut for cut in _thin_columns(columns, height)), right]
        for index, (start, end) in enumerate(pairwise(edges)):
            pieces.append((mark, start, end, top, bottom))
            is_cut.append(index > 0)
    numbered = np.zeros_like(labels)
    for number, (mark, start, end, top, bottom) in enumerate(pieces, 1):
        part = labels[top:bottom, start:end] == mark
        numbered[top:bottom, start:end][part] = number
        rows, columns = part.any(axis=1).nonzero()[0], part.any(axis=0).nonzero()[0]
        found.append([start + columns[0], top + rows[0], start + columns[-1] + 1, top + rows[-1] + 1])
    return numbered, np.array(found, float), np.array(is_cut)


def _thin_columns(ink: Bools, height: float) -> list[int]:
    """Return the columns at which to cut a mark (height, width): those with the least ink, far enough from each other."""
    width, margin = ink.shape[1], MARGIN * height
    if width < NARROWEST_PAIR * height:
        return []
    amounts = ink.sum(axis=0)
    cuts: list[int] = []
    for column in np.argsort(amounts + np.abs(np.arange(width) - width / 2) / width, kind="stable").tolist():
        if amounts[column] > THICKEST_CUT * height:
            break
        if all(abs(column - cut) >= margin for cut in [0, width, *cuts]):
            cuts.append(column)
    return sorted(cuts)


def _image_of(strength: Floats, side: int, labels: Integers, boxes: Floats, pieces: Integers) -> NDArray[np.float32]:
    """Return the image of some pieces of ink, without other pieces that reach into their box."""
    of = boxes[pieces].astype(int)
    left, top = np.maximum(of[:, :2].min(axis=0) - 1, 0)
    right, bottom = of[:, 2:].max(axis=0) + 1
    inside = labels[top:bottom, left:right]
    near = ~np.isin(inside, [0, *(pieces + 1)])
    box = strength[top * side : bottom * side, left * side : right * side]
    box = box * ~np.kron(near, np.ones((side, side), bool))[: box.shape[0], : box.shape[1]]
    rows, columns = box.any(axis=1).nonzero()[0], box.any(axis=0).nonzero()[0]
    box = box[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return image_of_ink(box / box.max())


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
