"""Segmentation: which marks of a line make a digit?

This is heuristic over-segmentation (LeCun et al., 1998, section VII). A line is cut into pieces of at most one digit each. The
network scores each run of neighboring pieces that may be a digit. Dynamic programming finds the best path through these runs.

pieces.py makes the pieces. Here only their boxes count: floats (n, 4), left, top, right and bottom, y down, in any unit. In a
line, pieces are in the order of their centers, from left to right. The order of the hand would be as good for most numbers, but
not for those whose bars are added at the end.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Bools, Floats, Integers

LEFT, TOP, RIGHT, BOTTOM = range(4)
# Lengths are relative to the height of the line, which is about a digit's.
LARGEST_STEP = 0.75  # From digit to digit, up or down.
MOST_PIECES = 5  # Of a digit.
WIDEST = 1.7  # Of a digit. Some people draw the bar of a 5 that long.
WIDEST_GAP = 0.35  # Inside a digit.
NARROWEST = 0.1  # A vertical bar counts as this wide where overlaps are measured.
# Costs are in nats, as the scores.
GAP_COST = 4.0  # Of a gap inside a digit that is as wide as the line is high.
OVERLAP_COST = 6.0  # Of two digits if one is above the other.
CUT_COST = 1.0  # Of two digits that share a stroke.
UNREADABLE = -4.0  # The score of an unreadable mark, which must not break up its neighbors.


class Run(NamedTuple):
    """Neighboring pieces of a line that may be a digit: from `start` up to but not including `end`."""

    start: int
    end: int


def text_lines(boxes: Floats) -> list[Integers]:
    """Return the indices of each line's pieces, from left to right, for the boxes (n, 4) of all pieces; the top line is first.

    From left to right, each piece continues the line whose last tall piece is at the same height, or starts a new line. Tall
    pieces have half of the largest height: a bar does not show where its line runs.
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


def line_height(boxes: Floats) -> float:
    """Return the height of the tallest piece (n, 4). A lone dash counts as a quarter of its width."""
    return float(max((boxes[:, BOTTOM] - boxes[:, TOP]).max(), (boxes[:, RIGHT] - boxes[:, LEFT]).max() / 4, 1e-6))


def candidates(boxes: Floats) -> list[Run]:
    """Return the runs of a line's pieces (n, 4) that may be a digit: each single piece, and pieces close to each other."""
    height = line_height(boxes)
    found = []
    for start in range(len(boxes)):
        for end in range(start + 1, min(start + MOST_PIECES, len(boxes)) + 1):
            run = boxes[start:end]
            if end > start + 1 and (np.ptp(run[:, [LEFT, RIGHT]]) > WIDEST * height or _widest_gap(run) > WIDEST_GAP * height):
                break
            found.append(Run(start, end))
    return found


def best_path(boxes: Floats, is_cut: Bools, runs: Sequence[Run], scores: Floats) -> list[int]:
    """Return the indices of the runs that together use each piece of a line once, at the least cost, from left to right.

    `boxes` are (n, 4), and `is_cut` (n,) marks the pieces that begin at a cut. `scores` (runs,) are log probabilities: that the
    network sees a digit in each run. Gaps inside a run cost, and cuts and overlaps between two runs.

    The best path that ends with a run is the run itself, after the best of the paths that end where it starts (Viterbi, 1967).
    """
    height = line_height(boxes)
    extents = [(float(boxes[start:end, LEFT].min()), float(boxes[start:end, RIGHT].max())) for start, end in runs]
    ending: list[list[int]] = [[] for _ in range(len(boxes) + 1)]  # runs, by their end
    total, before = np.zeros(len(runs)), [-1] * len(runs)
    for index in sorted(range(len(runs)), key=lambda index: runs[index].start):  # so all that end at a start come before it
        start, end = runs[index]
        total[index] = max(scores[index], UNREADABLE) - GAP_COST * _widest_gap(boxes[start:end]) / height
        if start > 0:
            paths = [total[other] - OVERLAP_COST * _overlap(extents[other], extents[index], height) for other in ending[start]]
            total[index] += max(paths) - CUT_COST * is_cut[start]
            before[index] = ending[start][int(np.argmax(paths))]
        ending[end].append(index)
    path = [max(ending[-1], key=lambda index: total[index])]
    while before[path[0]] >= 0:
        path.insert(0, before[path[0]])
    return path


def _widest_gap(boxes: Floats) -> float:
    """Return the width of the widest gap between pieces (n, 4), seen from above."""
    if len(boxes) == 1:
        return 0.0
    ordered = boxes[np.argsort(boxes[:, LEFT])]
    return float((ordered[1:, LEFT] - np.maximum.accumulate(ordered[:-1, RIGHT])).max(initial=0.0))


def _overlap(one: tuple[float, float], other: tuple[float, float], height: float) -> float:
    """Return the share of the narrower of two intervals that is inside the other one."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return max(shared, 0.0) / max(min(one[1] - one[0], other[1] - other[0]), NARROWEST * height)
