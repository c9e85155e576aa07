"""From pen strokes to an image.

The path is scaled first, then rasterized with a pen as wide as MNIST's. So the image depends neither on the size of the drawing
nor on the width of the brush.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitnet.arrays import Floats, Integers
from digitnet.images.normalize import BOX_SIDE, DrawingError, blank, place

DEFAULT_BRUSH = 20.0  # The width of the page's pen, in pixels of the canvas.
PEN_RADIUS = 1.2  # Pixels of the image. With PEN_SOFTNESS, drawn digits have as much ink as MNIST's: 100 full pixels on average.
PEN_SOFTNESS = 1.5  # Pixels over which the pen's edge fades, as in MNIST's antialiased digits.
PATH_STEP = 0.4  # Pixels between the path's points. Smaller steps change nothing visible.
PATH_POINTS = 2000  # More than any digit needs. Limits the work for one drawing.
SMALLEST_EXTENT = 1e-6  # Pixels of the canvas. No pen moves less, and scaling less up would overflow.
STRAY_GAPS = 0.75, 1.5  # In sizes of the other strokes. A dot this far beside, or above or below, their box is a stray tap.
SHORTEST_DIGIT = 3.3  # In sizes of the largest dot. A dot next to shorter strokes, as in a colon, is not a stray tap.


Stroke = Sequence[Sequence[float]] | Floats  # (x, y) points, (n, 2).


def image_from_strokes(
    strokes: Sequence[Stroke],
    brush: float = DEFAULT_BRUSH,
    pen_radius: float = PEN_RADIUS,
    most_points: int = PATH_POINTS,
) -> NDArray[np.float32]:
    """Turn pen strokes into an image. Points are in pixels of the canvas, y down.

    `brush` is the width of the pen on the canvas: a stroke shorter than half of it is a dot. A dot far from all longer strokes
    is a stray tap and is dropped. `pen_radius`, in pixels of the image, is the radius of the rasterizing pen. `most_points`
    limits the points of the rasterized path: a longer path has longer steps. DrawingError for anything but lists of points, and
    for coordinates that are not finite.
    """
    points, counts = _drawn(strokes, brush)
    if not len(points):
        return blank()
    corner = points.min(axis=0)
    extent = points.max(axis=0) - corner
    if extent.max() <= _largest_dot(brush):
        return blank()

    # The path, widened by the pen's radius, fills the box. The pen's faded edge beyond it is cut off, because MNIST's digits were
    # black and white, without gray, when their boxes were measured.
    scale = (BOX_SIDE - 2.0 * pen_radius) / extent.max()
    width, height = np.ceil(extent * scale + 2.0 * pen_radius - 1e-6).astype(int)
    points = (points - corner) * scale + pen_radius
    ink = _rasterize(points, _segments(points, counts, most_points), height, width, pen_radius)
    return place(ink / ink.max())


def stroke_paths(strokes: Sequence[Stroke], brush: float = DEFAULT_BRUSH) -> list[Floats]:
    """Return the points (n, 2) of each stroke that image_from_strokes would draw, which describes arguments and errors."""
    points, counts = _drawn(strokes, brush)
    return np.split(points, np.cumsum(counts)[:-1]) if len(points) else []


def path_lengths(path: Floats) -> NDArray[np.float64]:
    """Return the length of the path (n, 2) up to each of its points, (n,)."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*(path[1:] - path[:-1]).T))])


def _drawn(strokes: Sequence[Stroke], brush: float) -> tuple[Floats, Integers]:
    """Return all points (n, 2) and each stroke's number of points, without empty strokes and stray taps."""
    paths = [_points(stroke) for stroke in strokes if len(stroke)]
    if not paths:
        return np.empty((0, 2)), np.empty(0, int)
    return _without_stray_dots(np.concatenate(paths), np.array([len(path) for path in paths]), _largest_dot(brush))


def _largest_dot(brush: float) -> float:
    """Return the extent up to which a stroke is a dot, in pixels of the canvas."""
    return max(brush / 2.0, SMALLEST_EXTENT)


def _points(stroke: Stroke) -> NDArray[np.float64]:
    try:
        points = np.asarray(stroke, np.float64)
    except (TypeError, ValueError) as error:
        raise DrawingError("a stroke must be a list of [x, y] points, each two numbers") from error
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        raise DrawingError("a stroke must be a list of [x, y] points, each two finite numbers")
    return points


def _without_stray_dots(points: Floats, counts: Integers, largest_dot: float) -> tuple[Floats, Integers]:
    """Drop dots far outside the box around all longer strokes. Without longer strokes, all dots stay.

    The dots of i, j, ! and ? stay, because they distinguish these from digits. `counts` has each stroke's number of points.
    """
    starts = np.cumsum(counts) - counts
    lows, highs = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    is_dot = (highs - lows).max(axis=1) <= largest_dot
    if is_dot.all() or not is_dot.any():
        return points, counts
    low, high = lows[~is_dot].min(axis=0), highs[~is_dot].max(axis=0)
    size = (high - low).max()
    # Even a small digit has a long path.
    length = sum(path_lengths(points[start : start + count])[-1] for start, count in zip(starts[~is_dot], counts[~is_dot]))
    if length < SHORTEST_DIGIT * largest_dot:
        return points, counts
    kept = ~is_dot | (np.maximum(low - highs, lows - high) <= size * np.array(STRAY_GAPS)).all(axis=1)
    return points[np.repeat(kept, counts)], counts[kept]


def _rasterize(
    points: Floats, segments: tuple[Integers, Integers], height: int, width: int, pen_radius: float
) -> NDArray[np.float32]:
    """Return the ink, (height, width) in [0, 1]. Each pixel's ink depends on its distance to the nearest segment."""
    starting, ending = segments
    starts, moves = points[starting].astype(np.float32), points[ending].astype(np.float32)
    moves -= starts
    squares = np.maximum((moves * moves).sum(axis=1), 1e-12)

    # The nearest point of each segment (rows) to each pixel (columns) is a + t (b - a), with t in [0, 1].
    y, x = (np.indices((height, width), np.float32) + 0.5).reshape(2, -1)
    from_x, from_y = x - starts[:, :1], y - starts[:, 1:]
    t = np.clip((from_x * moves[:, :1] + from_y * moves[:, 1:]) / squares[:, None], 0.0, 1.0)
    from_x -= t * moves[:, :1]
    from_y -= t * moves[:, 1:]
    distance = np.sqrt((from_x * from_x + from_y * from_y).min(axis=0))
    ink: NDArray[np.float32] = np.clip(0.5 + (pen_radius - distance) / PEN_SOFTNESS, 0.0, 1.0)
    return ink.reshape(height, width)


def _segments(points: Floats, counts: Integers, most_points: int) -> tuple[Integers, Integers]:
    """Return the indices of the points where the strokes' segments start and end.

    A segment joins points that are one step apart along the stroke. A stroke of one point is a segment of length 0.
    """
    lasts = np.cumsum(counts) - 1
    firsts = lasts - counts + 1
    moves = points[1:] - points[:-1]
    traveled = np.zeros(len(points))
    np.hypot(moves[:, 0], moves[:, 1], out=traveled[1:])
    traveled[firsts] = 0.0  # Between strokes, the pen was up.
    traveled = np.cumsum(traveled)
    step = max(PATH_STEP, traveled[-1] / most_points)
    steps = np.floor((traveled - np.repeat(traveled[firsts], counts)) / step)
    kept = np.ones(len(points), bool)
    kept[1:] = steps[1:] != steps[:-1]
    kept[firsts] = True
    chosen = np.sort(np.concatenate([kept.nonzero()[0], lasts]))
    starts, ends = chosen[:-1], chosen[1:]
    stroke = np.repeat(np.arange(len(counts)), counts)
    drawn = stroke[starts] == stroke[ends]
    return starts[drawn], ends[drawn]
