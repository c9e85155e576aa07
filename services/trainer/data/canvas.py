"""What the page's canvas looks like after some strokes: for those who send pixels instead of the pen's path."""

from collections.abc import Sequence

import numpy as np

SIDE = 280  # pixels, as on the page
FULL_INK = 255


def inked_canvas(strokes: Sequence[np.ndarray], brush: float = 20.0, side: int = SIDE) -> np.ndarray:
    """Strokes, each (n, 2) in pixels, y down -> uint8 (side, side), 255 = ink, drawn by a round pen `brush` pixels wide.

    A pixel's ink falls from full to none over the one pixel around the pen's edge, as browsers smooth it.
    """
    ink = np.zeros((side, side), np.float32)
    middles = np.arange(side, dtype=np.float32) + 0.5  # of the pixels
    reach = brush / 2.0 + 1.0
    for stroke in strokes:
        points = np.asarray(stroke, np.float32)
        starts, ends = (points[:-1], points[1:]) if len(points) > 1 else (points, points)
        lows = np.maximum(np.floor(np.minimum(starts, ends) - reach), 0).astype(int)
        highs = np.minimum(np.ceil(np.maximum(starts, ends) + reach) + 1, side).astype(int)
        moves = ends - starts
        squares = np.maximum(np.sum(moves**2, axis=1), 1e-9)
        for (left, top), (right, bottom), (start_x, start_y), (move_x, move_y), square in zip(
            *(each.tolist() for each in (lows, highs, starts, moves, squares))
        ):
            if left >= right or top >= bottom:
                continue  # off the canvas
            x, y = middles[left:right] - start_x, (middles[top:bottom] - start_y)[:, None]
            along = (x * move_x + y * move_y) / square
            np.maximum(along, 0.0, out=along)
            np.minimum(along, 1.0, out=along)
            distance = np.hypot(x - along * move_x, y - along * move_y)
            part = ink[top:bottom, left:right]
            np.maximum(part, np.minimum(brush / 2.0 + 0.5 - distance, 1.0), out=part)
    return np.rint(ink * FULL_INK).astype(np.uint8)
