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
    reach = brush / 2.0 + 1.0
    for stroke in strokes:
        points = np.asarray(stroke, np.float32)
        for start, end in zip(points, points[1:] if len(points) > 1 else points):
            low = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
            high = np.minimum(np.ceil(np.maximum(start, end) + reach) + 1, side).astype(int)
            if (low >= high).any():
                continue  # off the canvas
            x = np.arange(low[0], high[0], dtype=np.float32) + 0.5
            y = (np.arange(low[1], high[1], dtype=np.float32) + 0.5)[:, None]
            (move_x, move_y), length = end - start, float(np.sum((end - start) ** 2))
            along = ((x - start[0]) * move_x + (y - start[1]) * move_y) / max(length, 1e-9)
            np.clip(along, 0.0, 1.0, out=along)
            distance = np.hypot(x - start[0] - along * move_x, y - start[1] - along * move_y)
            part = ink[low[1] : high[1], low[0] : high[0]]
            np.maximum(part, np.clip(brush / 2.0 + 0.5 - distance, 0.0, 1.0), out=part)
    return np.rint(ink * FULL_INK).astype(np.uint8)
