"""Segmentation: which marks of a line make a digit?

Heuristic over-segmentation (LeCun et al., 1998, section VII): cut a line into pieces that are at most a digit each, let the network
score each run of neighboring pieces that may be one digit, and choose the best path through these runs by dynamic programming.

A piece is a pen stroke, a connected part of an image, or a part of one. Only its box matters here: float (4,), left, top, right and
bottom, y down, in any unit. In a line, pieces are in order of their centers from left to right. The order of the hand is no better:
it is the same for most numbers, and wrong for a bar that is added at the end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Bools, Floats, Integers

LEFT, TOP, RIGHT, BOTTOM = range(4)
MOST_PIECES = 5  # Of a digit. A 5 with detached bar and a wavering pen has three.
LARGEST_STEP = 0.75  # From digit to digit, up or down, relative to the height of their line.
WIDEST = 1.7  # A digit's width, relative to the height of its line.
WIDEST_GAP = 0.35  # Inside a digit, relative to the height of its line.
GAP_COST = 4.0  # Of a gap as wide as the line is high, in nats, as all costs and scores.
OVERLAP_COST = 6.0  # Of two digits of which the narrower one lies above or below the other one.
CUT_COST = 1.0  # Of two digits that share a stroke.
NARROWEST = 0.1  # A stroke's width, relative to the height of its line: the overlap with a vertical bar is measured with it.
NARROWEST_PAIR = 0.8  # The width of two joined digits, relative to the height of their line.
MARGIN = 0.25  # A cut keeps this distance from the ends of a stroke, relative to the height of its line.
COLUMNS = 64  # Examined for a cut.
LOWEST_SCORE = -7.0  # Of a run that is no digit at all. One unreadable mark must not break up its neighbors.


class Run(NamedTuple):
    """Neighboring pieces of a line that may be one digit: from `start` up to but not including `end`."""

    start: int
    end: int


def text_lines(boxes: Floats) -> list[Integers]:
    """Return the pieces of each line, from the top line to the bottom one, for the boxes (n, 4) of all pieces.

    From left to right, each piece continues the line whose last tall piece is at the same height, or starts a new line. Tall
    pieces have half of the largest height: a bar is no sign of where its line runs.
    """
    tallest = line_height(boxes)
    centers = (boxes[:, TOP] + boxes[:, BOTTOM]) / 2
    is_tall = boxes[:, BOTTOM] - boxes[:, TOP] >= tallest / 2
    lines: list[list[int]] = []
    ends: list[float] = []  # the height at which each line ends
    for piece in np.argsort(boxes[:, LEFT] + boxes[:, RIGHT], kind="stable"):
        steps = [abs(end - centers[piece]) for end in ends]
        nearest = int(np.argmin(steps)) if steps else 0
        if steps and steps[nearest] <= LARGEST_STEP * tallest:
            lines[nearest].append(piece)
            if is_tall[piece]:
                ends[nearest] = centers[piece]
        else:
            lines.append([piece])
            ends.append(centers[piece])
    return [np.array(lines[line]) for line in np.argsort([centers[line].mean() for line in lines])]


def runs(boxes: Floats) -> list[Run]:
    """Return the runs of a line's pieces (n, 4) that may be a digit: each single piece, and pieces that are close together."""
    height = line_height(boxes)
    found = []
    for start in range(len(boxes)):
        left = right = 0.0
        for end in range(start + 1, min(start + MOST_PIECES, len(boxes)) + 1):
            run = boxes[start:end]
            left, right = run[:, LEFT].min(), run[:, RIGHT].max()
            if end > start + 1 and (right - left > WIDEST * height or _widest_gap(run) > WIDEST_GAP * height):
                break
            found.append(Run(start, end))
    return found


def best_path(boxes: Floats, candidates: Sequence[Run], scores: Floats, is_cut: Bools) -> list[int]:
    """Return the indices of the candidates that together use each piece (n, 4) once at the least cost, from left to right.

    `scores` (candidates,) are log probabilities: that the network takes each candidate for a digit. The best path to a candidate
    is the candidate itself plus the best path to one of those that end where it starts (Viterbi's algorithm). Gaps inside
    candidates cost, and overlaps between them, and cuts: `is_cut` (n,) marks the pieces that start at one.
    """
    height = line_height(boxes)
    ending: dict[int, list[int]] = {end: [] for end in range(len(boxes) + 1)}
    total, before = np.zeros(len(candidates)), np.full(len(candidates), -1)
    extents = [(boxes[start:end, LEFT].min(), boxes[start:end, RIGHT].max()) for start, end in candidates]
    for index in sorted(range(len(candidates)), key=lambda index: candidates[index].end):
        start, end = candidates[index]
        total[index] = max(scores[index], LOWEST_SCORE) - GAP_COST * _widest_gap(boxes[start:end]) / height - CUT_COST * is_cut[start]
        if ending[start]:
            paths = [total[other] - OVERLAP_COST * _overlap(extents[other], extents[index], height) for other in ending[start]]
            before[index] = ending[start][int(np.argmax(paths))]
            total[index] += max(paths)
        ending[end].append(index)
    path = [max(ending[len(boxes)], key=lambda index: total[index])]
    while before[path[0]] >= 0:
        path.insert(0, int(before[path[0]]))
    return path


def line_height(boxes: Floats) -> float:
    """Return the height of the tallest piece (n, 4), which is about a digit's. A lone dash counts as a quarter of its width."""
    return float(max((boxes[:, BOTTOM] - boxes[:, TOP]).max(), (boxes[:, RIGHT] - boxes[:, LEFT]).max() / 4, 1e-6))


def _widest_gap(boxes: Floats) -> float:
    """Return the width of the widest gap between pieces (n, 4), seen from above."""
    if len(boxes) == 1:
        return 0.0
    ordered = boxes[np.argsort(boxes[:, LEFT])]
    return float(max((ordered[1:, LEFT] - np.maximum.accumulate(ordered[:-1, RIGHT])).max(), 0.0))


def _overlap(one: tuple[float, float], other: tuple[float, float], height: float) -> float:
    """Return the share of the narrower one of two intervals that is inside the other one."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    narrower = max(min(one[1] - one[0], other[1] - other[0]), NARROWEST * height)
    return max(shared, 0.0) / narrower


def cut_stroke(path: Floats, height: float) -> list[Floats]:
    """Cut a pen stroke (n, 2) that may show several digits, in a line of this height, where only a thin connection is left.

    A cut goes through the middle of the columns that the pen crosses once, as at the line between the digits of a joined 10. Both
    parts keep the point of the cut. A stroke that is narrower than two digits stays whole.
    """
    x = path[:, 0]
    left, right = x.min(), x.max()
    if right - left < NARROWEST_PAIR * height:
        return [path]
    columns = np.linspace(left, right, COLUMNS + 2)[1:-1]
    starts, ends = np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:])
    is_thin = ((starts[:, None] < columns) & (columns <= ends[:, None])).sum(axis=0) == 1
    parts, rest = [], path if x[0] <= x[-1] else path[::-1]
    for column in _middles(columns, is_thin, left + MARGIN * height, right - MARGIN * height):
        after = int(np.argmax(rest[:, 0] >= column))
        (x0, y0), (x1, y1) = rest[after - 1], rest[after]
        point = np.array([[column, y0 + (y1 - y0) * (column - x0) / (x1 - x0)]])
        parts.append(np.concatenate([rest[:after], point]))
        rest = np.concatenate([point, rest[after:]])
    return [*parts, rest]


def _middles(columns: Floats, is_thin: Bools, left: float, right: float) -> list[float]:
    """Return the middle of each interval of thin columns, if it is between `left` and `right`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_thin, [False]]).astype(np.int8)))
    middles = [(columns[start] + columns[end - 1]) / 2 for start, end in edges.reshape(-1, 2)]
    return [float(middle) for middle in middles if left < middle < right]
