"""Write numbers as polylines, for benchmarks and tests."""

from itertools import pairwise

Stroke = list[tuple[float, float]]

# In a box of 60 x 100, y down.
DIGITS: dict[str, list[Stroke]] = {
    "0": [[(30, 0), (5, 30), (5, 70), (30, 100), (55, 70), (55, 30), (30, 0)]],
    "1": [[(5, 0), (5, 100)]],
    "2": [[(0, 20), (30, 0), (55, 25), (0, 100), (60, 100)]],
    "3": [[(0, 10), (30, 0), (50, 25), (20, 48), (55, 70), (30, 100), (0, 90)]],
    "4": [[(30, 0), (0, 60), (60, 60)], [(42, 30), (40, 100)]],
    "5": [[(10, 0), (8, 45), (40, 40), (55, 65), (40, 95), (0, 100)], [(10, 0), (60, -4)]],
    "6": [[(50, 0), (10, 40), (5, 80), (30, 100), (52, 80), (30, 55), (8, 70)]],
    "7": [[(0, 0), (55, 0), (20, 100)]],
    "8": [[(50, 15), (25, 0), (5, 20), (50, 70), (30, 100), (5, 75), (50, 25), (50, 15)]],
    "9": [[(50, 25), (25, 0), (5, 25), (25, 50), (50, 25), (45, 100)]],
}
BETWEEN = 8  # Points for each pair of corners give a stroke a human density.


def number(text: str, x: float = 30.0, y: float = 30.0, gap: float = 20.0) -> list[Stroke]:
    """Return the strokes of a number whose upper left corner is (x, y)."""
    strokes = []
    for digit in text:
        strokes += [[(px + x, py + y) for px, py in dense(stroke)] for stroke in DIGITS[digit]]
        x += max(px for stroke in DIGITS[digit] for px, _ in stroke) + gap
    return strokes


def dense(corners: Stroke) -> Stroke:
    """Return a stroke with BETWEEN more points between each pair of corners."""
    parts = [part / (BETWEEN + 1) for part in range(BETWEEN + 1)]
    return [
        (round(x + (next_x - x) * part, 1), round(y + (next_y - y) * part, 1))
        for (x, y), (next_x, next_y) in pairwise(corners)
        for part in parts
    ] + [corners[-1]]
