"""Cuts: where a stroke or a mark of ink may lead from one digit to the next. segment.py decides which cuts part digits."""

from itertools import pairwise

import numpy as np

from digitnet.arrays import Bools, Floats, Integers
from digitnet.images.components import boxes_of

# Lengths are relative to the height of the line.
NARROWEST_PAIR = 0.8  # Of two digits that touch. Narrower strokes and marks stay whole.
MARGIN = 0.25  # Between two cuts, and between a cut and an end.
THICKEST = 0.35  # Of the ink in a column with a cut.
COLUMNS = 64  # Of a stroke, in which a cut is searched.


def cut_stroke(path: Floats, height: float, others: Floats) -> list[Floats]:
    """Cut a stroke (n, 2) in a line of this height, in the middle of the columns that the pen crosses only once.

    In a joined 10 that is the line between the digits. Both parts have the point of the cut. A column through one of the boxes
    `others` (m, 4) is no place to cut: the slash of a zero crosses the zero.
    """
    x = path[:, 0]
    left, right = x.min(), x.max()
    if right - left < NARROWEST_PAIR * height:
        return [path]
    columns = np.linspace(left, right, COLUMNS + 2)[1:-1]
    starts, ends = np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:])
    is_crossed_once = ((starts[:, None] < columns) & (columns <= ends[:, None])).sum(axis=0) == 1
    is_crossed_once &= ~((others[:, :1] < columns) & (columns < others[:, 2:3])).any(axis=0)
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


def cut_marks(labels: Integers, count: int, height: float) -> tuple[Integers, Bools]:
    """Cut the marks 1, …, count of an image, in lines of this height, along columns with little ink.

    Return the labels of the pieces, 1, 2, …, (height, width), and which pieces begin at a cut, (pieces,).
    """
    pieces, is_cut = np.zeros_like(labels), []
    for mark, (left, top, right, bottom) in enumerate(boxes_of(labels, count).tolist(), 1):
        ink, found = labels[top:bottom, left:right] == mark, pieces[top:bottom, left:right]
        columns = _thin_columns(ink, height)
        for start, end in pairwise([0, *columns, right - left]):
            is_cut.append(start > 0)
            found[:, start:end][ink[:, start:end]] = len(is_cut)
    return pieces, np.array(is_cut, bool)


def _thin_columns(ink: Bools, height: float) -> list[int]:
    """Return the columns at which to cut a mark (height, width): those with the least ink, and of equal ones the central one."""
    width, margin = ink.shape[1], MARGIN * height
    if width < NARROWEST_PAIR * height:
        return []
    amounts = ink.sum(axis=0)
    off_center = np.abs(np.arange(width) - width / 2) / width
    cuts: list[int] = []
    for column in np.argsort(amounts + off_center, kind="stable").tolist():
        if amounts[column] > THICKEST * height:
            break
        if all(abs(column - other) >= margin for other in (0, width, *cuts)):
            cuts.append(column)
    return sorted(cuts)
