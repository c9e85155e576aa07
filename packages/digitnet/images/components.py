"""Find the digit among marks: label connected components, then drop lines, frames, scraps at the border, and specks."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import Bools, Floats, Integers

LINE_ACROSS, LINE_DOWN = 0.2, 0.1  # Of the image. A wide mark flatter, or a tall one at the side narrower, is a line.
FRAME_SHARE = 0.7  # Of the border. A mark that covers more is a frame: even a bold digit leaves the corners free.
SIDE_SHARE = 0.9  # Of a side.
STACKED_GAP = 0.2  # Of the digit's size. A bar this close above or below belongs to the digit, even at the border.
SPECK_SIZE, SPECK_GAPS = 0.12, (0.5, 0.25)  # Of the digit's size: a smaller mark this far below or above, or beside it.
SPECK_AREA = 0.02  # Of the digit's area.


class Marks(NamedTuple):
    """Boxes and areas of connected components, (n,) each. A box ends before `bottom` and `right`."""

    top: Integers
    bottom: Integers
    left: Integers
    right: Integers
    area: Integers
    centrality: Floats  # The area, weighted by the closeness to the image's center.


def digit_cells(mask: Bools) -> tuple[Bools, Bools]:
    """Return the cells of the digit, and of all dropped marks, (height, width) each.

    The digit's main mark has the most area near the center. Other marks belong to it, except lines, frames, specks, and scraps of
    neighbors that the border cuts.
    """
    labels, count = connected_components(mask)
    if not count:
        return mask, mask
    marks = _measured(labels, count)
    is_line = _lines(marks, mask.shape) | _frames(labels, count)
    main = int(np.where(is_line, 0.0, marks.centrality).argmax())
    kept = ~is_line & ~_scraps(marks, main, mask.shape) & ~_specks(marks, main)
    kept[main] = not is_line[main]
    cells = np.concatenate([[False], kept])[labels]
    return cells, mask & ~cells


def border_cells(mask: Bools) -> Bools:
    """Return the cells of all marks that touch the border, (height, width)."""
    labels, count = connected_components(mask)
    at_border = np.zeros(count + 1, bool)
    at_border[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = True
    at_border[0] = False
    return np.asarray(at_border[labels])


def side_cells(mask: Bools) -> Bools:
    """Return the cells of all marks that cover most of a side, (height, width), as a desk beside the sheet does."""
    labels, count = connected_components(mask)
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    covers = np.any([np.bincount(side, minlength=count + 1) > SIDE_SHARE * side.size for side in sides], axis=0)
    covers[0] = False
    return np.asarray(covers[labels])


def label_text(mask: Bools, strong: Bools) -> tuple[Integers, int]:
    """Label the marks that have a strong cell and are no specks beside the largest of these, as connected_components does."""
    labels, count = connected_components(mask)
    is_strong = np.bincount(labels[strong], minlength=count + 1)[1:] > 0
    sizes = np.where(is_strong, _size(_measured(labels, count)), 0)
    kept = sizes > SPECK_SIZE * sizes.max(initial=0)
    numbers = np.concatenate([[0], np.where(kept, np.cumsum(kept), 0)])
    return numbers[labels], int(np.count_nonzero(kept))


def boxes_of(labels: Integers, count: int) -> Integers:
    """Return the boxes of connected components, (n, 4): left, top, right and bottom; the last two are exclusive."""
    marks = _measured(labels, count)
    return np.stack([marks.left, marks.top, marks.right, marks.bottom], axis=1)


def center_weights(shape: tuple[int, ...]) -> Floats:
    """Return weights that fall evenly from 1 at the center to 0 at the border, (height, width)."""
    rows, columns = (1.0 - np.abs((np.arange(length) + 0.5) * 2.0 / length - 1.0) for length in shape)
    return np.minimum(rows[:, None], columns)


def connected_components(mask: Bools) -> tuple[Integers, int]:
    """Label groups of cells that touch by a side or corner with 1, 2, …; return (height, width) labels and their number.

    Runs of cells in a row are united with the runs that they touch in the row above (union-find; Rosenfeld and Pfaltz, 1966).
    """
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    changes = np.diff(padded, axis=1)
    rows, starts = np.nonzero(changes == 1)
    ends = np.nonzero(changes == -1)[1]  # the first cell after each run
    # With all rows on one line, the runs that touch a run from above are neighbors. Search for the first and the last.
    above = (rows - 1) * padded.shape[1]
    first = np.searchsorted(rows * padded.shape[1] + ends, above + starts)
    last = np.searchsorted(rows * padded.shape[1] + starts, above + ends, side="right")
    parents = list(range(len(rows)))

    def root(run: int) -> int:
        while parents[run] != run:
            parents[run] = parents[parents[run]]  # halve the path
            run = parents[run]
        return run

    for run in np.nonzero(last > first)[0].tolist():
        for touched in range(first[run], last[run]):
            parents[root(run)] = root(touched)
    roots, numbers = np.unique([root(run) for run in parents], return_inverse=True)
    labels = np.zeros(padded.shape, np.intp)
    labels[rows, starts] += numbers + 1
    labels[rows, ends] -= numbers + 1
    return np.cumsum(labels, axis=1)[:, : mask.shape[1]], len(roots)


def _measured(labels: Integers, count: int) -> Marks:
    rows, columns = labels.nonzero()
    numbers = labels[rows, columns] - 1
    low, high = np.full((2, count), max(labels.shape)), np.zeros((2, count), np.intp)
    for axis, places in enumerate((rows, columns)):
        np.minimum.at(low[axis], numbers, places)
        np.maximum.at(high[axis], numbers, places + 1)
    # Squares prefer a thin digit at the center to a bold neighbor.
    centrality: Floats = np.zeros(count)
    np.add.at(centrality, numbers, center_weights(labels.shape)[rows, columns] ** 2)
    return Marks(low[0], high[0], low[1], high[1], np.bincount(numbers), centrality)


def _lines(marks: Marks, shape: tuple[int, ...]) -> Bools:
    """Find flat marks from side to side, as ruled paper has, and narrow ones from top to bottom beside the center.

    A one may reach from top to bottom, but it's in the center.
    """
    height, width = shape
    across = (marks.right - marks.left == width) & (marks.bottom - marks.top <= LINE_ACROSS * height)
    beside = (marks.right <= width / 3) | (marks.left >= width * 2 / 3)
    down = (marks.bottom - marks.top == height) & (marks.right - marks.left <= LINE_DOWN * width) & beside
    return np.asarray(across | down)


def _frames(labels: Integers, count: int) -> Bools:
    border = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.asarray(np.bincount(border, minlength=count + 1)[1:] > FRAME_SHARE * border.size)


def _scraps(marks: Marks, main: int, shape: tuple[int, ...]) -> Bools:
    """Find marks that the border cuts, unless they are inside the main mark's box or a bar on it; and frames around it."""
    top, bottom, left, right = (side[main] for side in marks[:4])
    at_border = (marks.top == 0) | (marks.left == 0) | (marks.bottom == shape[0]) | (marks.right == shape[1])
    shared_rows = np.minimum(marks.bottom, bottom) - np.maximum(marks.top, top)
    shared_columns = np.minimum(marks.right, right) - np.maximum(marks.left, left)
    inside = (shared_rows > (marks.bottom - marks.top) / 2) & (shared_columns > (marks.right - marks.left) / 2)
    stacked = (shared_columns >= 0.8 * (marks.right - marks.left)) & (-shared_rows <= STACKED_GAP * _size(marks)[main])
    around = (marks.top < top) & (marks.bottom > bottom) & (marks.left < left) & (marks.right > right)
    return np.asarray((at_border & ~inside & ~stacked) | around)


def _specks(marks: Marks, main: int) -> Bools:
    """Find marks far smaller than the main one, and small ones far from it. The dots of i and j are nearer."""
    size = _size(marks)
    below = np.maximum(marks.top - marks.bottom[main], marks.top[main] - marks.bottom)
    beside = np.maximum(marks.left - marks.right[main], marks.left[main] - marks.right)
    far = (below > SPECK_GAPS[0] * size[main]) | (beside > SPECK_GAPS[1] * size[main])
    return np.asarray((far & (size <= SPECK_SIZE * size[main])) | (marks.area <= SPECK_AREA * marks.area[main]))


def _size(marks: Marks) -> Integers:
    return np.asarray(np.maximum(marks.bottom - marks.top, marks.right - marks.left))


def with_neighbors(cells: Bools) -> Bools:
    """Add the eight neighbors of each cell."""
    padded = np.pad(cells, 1)
    columns = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return columns[:-2] | columns[1:-1] | columns[2:]
