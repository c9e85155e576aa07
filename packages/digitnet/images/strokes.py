"""From pen strokes to an image.

The path is scaled first and rasterized last, with a pen as wide as MNIST's. So neither the size of the drawing nor the width
of the brush changes how the digit looks to the network."""

from collections.abc import Sequence

import numpy as np

from digitnet.images.normalize import BOX_SIDE, DrawingError, blank, place

DEFAULT_BRUSH = 20.0  # the width of the page's pen, in the canvas's pixels
PEN_RADIUS = 1.2  # pixels of the image; with PEN_SOFTNESS the mean ink of drawn digits is that of MNIST's, 100 pixels' worth
PEN_SOFTNESS = 1.5  # pixels over which the pen's edge fades, as in MNIST's anti-aliased digits
PATH_STEP = 0.4  # pixels between the path's points: closer ones change nothing that can be seen
PATH_POINTS = 2000  # no digit needs more; bounds the work that one drawing can ask for
SMALLEST_EXTENT = 1e-6  # of the canvas's pixels: no pen moves by less, and scaling it up would overflow
STRAY_GAPS = 0.75, 1.5  # of the other strokes' size: a dot this far beside, or above or below, their box is a stray tap
SMALLEST_DIGIT = 3.3  # of the largest dot: beside smaller strokes, as in a colon, a dot is no stray tap


def image_from_strokes(strokes: Sequence, brush: float = DEFAULT_BRUSH, pen_radius: float = PEN_RADIUS) -> np.ndarray:
    """Pen strokes -> image. Each stroke is a sequence of (x, y) points in the canvas's pixels, y down; a click is one point.

    `brush` is the width of the canvas's pen in the same pixels: a pen that moved less than half of it made a dot.
    A dot far from all longer strokes is a stray tap, and is left out.
    `pen_radius`, in the image's pixels, is that of the pen that rasterises. Augmentation varies it like the brushes of drawings
    in pixels.
    DrawingError for anything but lists of points, and for coordinates that are not finite.
    """
    paths = [_points(stroke) for stroke in strokes if len(stroke)]
    if not paths:
        return blank()
    largest_dot = max(brush / 2.0, SMALLEST_EXTENT)
    points, counts = _without_stray_dots(np.concatenate(paths), np.array([len(path) for path in paths]), largest_dot)
    corner = points.min(axis=0)
    extent = points.max(axis=0) - corner
    if extent.max() <= largest_dot:
        return blank()

    # The path is scaled so that with half a pen's width around it, it fills the box. What fades beyond the edge is cut, as
    # it was from MNIST's digits, which were black on white without any grey when their box was measured.
    scale = (BOX_SIDE - 2.0 * pen_radius) / extent.max()
    width, height = np.ceil(extent * scale + 2.0 * pen_radius - 1e-6).astype(int)
    ink = _rasterize((points - corner) * scale + pen_radius, counts, height, width, pen_radius)
    return place(ink / ink.max())


def path_lengths(path: np.ndarray) -> np.ndarray:
    """Points (n, 2) -> how long the path is up to each of them, (n,), in the points' unit."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*(path[1:] - path[:-1]).T))])


def _points(stroke):
    try:
        points = np.asarray(stroke, np.float64)
    except (TypeError, ValueError) as error:
        raise DrawingError("a stroke must be a list of [x, y] points, each two numbers") from error
    if points.ndim != 2 or points.shape[1] != 2:
        raise DrawingError(f"a stroke must be a list of [x, y] points, but this one has the shape {points.shape}")
    if not np.isfinite(points).all():
        raise DrawingError("every coordinate must be a finite number")
    return points


def _without_stray_dots(points, counts, largest_dot):
    """Drop the dots that lie far outside the box around all longer strokes. Without longer strokes the dots stay.

    The dots of i, j, ! and ? stay, because they tell these from digits. `counts` has the number of points of each stroke.
    """
    starts = np.cumsum(counts) - counts
    lows, highs = np.minimum.reduceat(points, starts), np.maximum.reduceat(points, starts)
    is_dot = (highs - lows).max(axis=1) <= largest_dot
    if is_dot.all() or not is_dot.any():
        return points, counts
    low, high = lows[~is_dot].min(axis=0), highs[~is_dot].max(axis=0)
    size = (high - low).max()
    if size < SMALLEST_DIGIT * largest_dot:
        return points, counts
    kept = ~is_dot | (np.maximum(low - highs, lows - high) <= size * np.array(STRAY_GAPS)).all(axis=1)
    return points[np.repeat(kept, counts)], counts[kept]


def _rasterize(points, counts, height, width, pen_radius):
    """Points in pixels -> ink (height, width): how far each pixel's centre is from the strokes says how much ink it has."""
    starts, ends = _segments(points, counts)
    starts, moves = points[starts].astype(np.float32), points[ends].astype(np.float32)
    moves -= starts
    squares = np.maximum((moves * moves).sum(axis=1), 1e-12)

    # The nearest point of a segment from a + t (b - a), 0 <= t <= 1: for all segments (rows) and all pixels (columns).
    y, x = (np.indices((height, width), np.float32) + 0.5).reshape(2, -1)
    from_x, from_y = x - starts[:, :1], y - starts[:, 1:]
    t = np.clip((from_x * moves[:, :1] + from_y * moves[:, 1:]) / squares[:, None], 0.0, 1.0)
    from_x -= t * moves[:, :1]
    from_y -= t * moves[:, 1:]
    distance = np.sqrt((from_x * from_x + from_y * from_y).min(axis=0))
    return np.clip(0.5 + (pen_radius - distance) / PEN_SOFTNESS, 0.0, 1.0).reshape(height, width)


def _segments(points, counts):
    """The points where the segments start and end that stand for the strokes: two arrays of indices.

    A segment joins points that are a step of the stroke's length apart; a stroke of a single point is a segment of no length.
    """
    lasts = np.cumsum(counts) - 1
    firsts = lasts - counts + 1
    moves = points[1:] - points[:-1]
    travelled = np.zeros(len(points))
    np.hypot(moves[:, 0], moves[:, 1], out=travelled[1:])
    travelled[firsts] = 0.0  # there the pen was up
    travelled = np.cumsum(travelled)
    step = max(PATH_STEP, travelled[-1] / PATH_POINTS)
    steps = np.floor((travelled - np.repeat(travelled[firsts], counts)) / step)
    kept = np.ones(len(points), bool)
    kept[1:] = steps[1:] != steps[:-1]
    kept[firsts] = True
    chosen = np.sort(np.concatenate([kept.nonzero()[0], lasts]))
    starts, ends = chosen[:-1], chosen[1:]
    stroke = np.repeat(np.arange(len(counts)), counts)
    drawn = stroke[starts] == stroke[ends]
    return starts[drawn], ends[drawn]
