"""From a drawing to the 28 x 28 picture that the network reads, as MNIST's own digits were made (LeCun et al., 1998):
the ink is cropped, scaled into 20 x 20 pixels with its aspect kept, and placed with its centre of mass in the middle.

A network knows only pictures like those that it learnt from, so everyone who has a drawing comes through here: the trainer
with MNIST, the service with what it is sent, the tests.

    strokes   the pen's path is scaled first and rasterised last, with a pen as wide as MNIST's, so that neither the size of
              the drawing nor the width of the brush changes how the digit looks to the network
    pixels    (a PNG, an MNIST vector) whatever differs from the background is ink; it is cropped and resampled

A picture is float32 (28, 28) in [0, 1], 1 = ink, in steps of 1/255. A blank drawing or a single dot, which have no shape
to read, give all zeros.
"""

from collections.abc import Sequence

import numpy as np

PICTURE_SIDE = 28
BOX_SIDE = 20  # the ink's longer side
PLACES = np.arange(BOX_SIDE, dtype=np.float64)  # in the box: row or column 0, 1, …
CENTRE = 14  # the centre of mass falls on this pixel, in MNIST as here

PEN_RADIUS = 1.2  # pixels of the picture; with PEN_SOFTNESS the mean ink of drawn digits is that of MNIST's, 100 pixels' worth
PEN_SOFTNESS = 1.5  # pixels over which the pen's edge fades, as in MNIST's anti-aliased digits
PATH_STEP = 0.4  # pixels between the path's points: closer ones change nothing that can be seen
PATH_POINTS = 2000  # no digit needs more; bounds the work that one drawing can ask for

PAPER_GRAIN = 6.0  # times what three quarters of the border stray by at most; normal noise gets there once in 10^11 pixels
SMALLEST_EXTENT = 1e-6  # of the canvas's pixels: no pen moves by less, and scaling it up would overflow
FAINTEST_INK = 0.1  # contrast below which a picture counts as blank
STRAY_GAPS = 0.75, 1.5  # of the other strokes' size: a dot this far beside, or above or below, their box is a stray tap
SMALLEST_DIGIT = 3.3  # of the largest dot: beside smaller strokes, as in a colon, a dot is no stray tap
DOT_SIZE, DOT_FILL = 0.15, 0.6  # a dot's side as a part of the whole picture's, and how much of its square a dot fills


class DrawingError(ValueError):
    """What came in cannot be a drawing; the message says why."""


def picture_from_strokes(strokes: Sequence, brush: float = 20.0, pen_radius: float = PEN_RADIUS) -> np.ndarray:
    """Pen strokes -> picture. Each stroke is a sequence of (x, y) points in the canvas's pixels, y down; a click is one point.

    `brush` is the width of the canvas's pen in the same pixels: a pen that moved less than half of it made a dot.
    A dot far from all longer strokes is a stray tap, and is left out.
    `pen_radius`, in the picture's pixels, is that of the pen that rasterises. Augmentation varies it like the brushes of drawings
    in pixels.
    DrawingError for anything but lists of points, and for coordinates that are not finite.
    """
    paths = [_points(stroke) for stroke in strokes if len(stroke)]
    if not paths:
        return _blank()
    largest_dot = max(brush / 2.0, SMALLEST_EXTENT)
    points, counts = _without_stray_dots(np.concatenate(paths), np.array([len(path) for path in paths]), largest_dot)
    corner = points.min(axis=0)
    extent = points.max(axis=0) - corner
    if extent.max() <= largest_dot:
        return _blank()

    # The path is scaled so that with half a pen's width around it, it fills the box. What fades beyond the edge is cut, as
    # it was from MNIST's digits, which were black on white without any grey when their box was measured.
    scale = (BOX_SIDE - 2.0 * pen_radius) / extent.max()
    width, height = np.ceil(extent * scale + 2.0 * pen_radius - 1e-6).astype(int)
    ink = _rasterize((points - corner) * scale + pen_radius, counts, height, width, pen_radius)
    return _place(ink / ink.max())


def picture_from_pixels(pixels: np.ndarray) -> np.ndarray:
    """Pixels -> picture: grey (height, width), colour (height, width, 3) or with alpha (height, width, 4).

    uint8 in 0..255 or float in [0, 1]; light on dark, dark on light, in any colour: ink is what differs from the background,
    and the background is what most of the border is. DrawingError for other shapes and for values out of range.
    """
    pixels = _as_bytes(pixels)
    ink = _ink(pixels)
    box = ink[_extent(ink.any(axis=1)), _extent(ink.any(axis=0))]
    if box.size == 0 or _is_dot(box, max(pixels.shape[:2])):
        return _blank()

    scale = BOX_SIDE / max(box.shape)
    if scale != 1.0:
        height, width = (max(1, round(side * scale)) for side in box.shape)
        box = _resampling(box.shape[0], height) @ box @ _resampling(box.shape[1], width).T
    return _place(box / box.max())


def picture_from_vector(values: Sequence[float]) -> np.ndarray:
    """784 numbers in [0, 1], row after row -> picture."""
    values = np.asarray(values, np.float32)
    if values.shape != (PICTURE_SIDE**2,):
        raise DrawingError(f"Expected {PICTURE_SIDE**2} values for MNIST image, got {values.size}")
    return picture_from_pixels(values.reshape(PICTURE_SIDE, PICTURE_SIDE))


def in_unit_range(pixels: np.ndarray) -> np.ndarray:
    """uint8 in 0..255 -> float32 in [0, 1], of the same shape."""
    return pixels.astype(np.float32) / np.float32(255.0)


def in_bytes(pictures: np.ndarray) -> np.ndarray:
    """float32 in [0, 1] -> uint8 in 0..255, of the same shape: the other way, and exact for pictures made here."""
    return np.rint(pictures * np.float32(255.0)).astype(np.uint8)


def travelled(path: np.ndarray) -> np.ndarray:
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


def _as_bytes(pixels):
    """uint8 in 0..255 as it is, or floats in [0, 1] as the nearest of those: so that 0.498 and 127/255 are the same picture."""
    pixels = np.asarray(pixels)
    if pixels.ndim not in (2, 3) or 0 in pixels.shape or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)):
        raise DrawingError(f"pixels must be (height, width), (height, width, 3) or (height, width, 4), not {pixels.shape}")
    if pixels.dtype == np.uint8:
        return pixels
    pixels = pixels.astype(np.float32)
    if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):  # said this way round, NaN is refused too
        raise DrawingError("every pixel must be a number from 0 to 1")
    return in_bytes(pixels)


def _ink(pixels):
    """Pixels in 0..255 -> ink (height, width) in [0, 1]: how much each differs from the background, the most as 1. Of what is
    around it the margins are left out where they are background and nothing else: it makes most of a drawing."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, None]
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:]
        if np.median(_border(alpha)) < 128:
            pixels = alpha  # on a transparent sheet, what is opaque is the drawing, whatever its colour
        else:
            alpha = in_unit_range(alpha)
            pixels = in_unit_range(pixels[:, :, :3]) * alpha + (1.0 - alpha)
    border = _border(pixels)
    if pixels.shape[2] == 1 and pixels.dtype == np.uint8 and not border.any():
        return _at_full_strength(in_unit_range(pixels[:, :, 0]))  # on even black, as MNIST's are, what is there is ink
    background = np.sort(border, axis=0)[len(border) // 2]
    if pixels.dtype == np.uint8:
        pixels, border, background = (in_unit_range(part) for part in (_without_margins(pixels, background), border, background))
    ink = _largest_difference(pixels, background)
    # A photograph's background is never even: what differs a few times as much as most of the border does is background.
    strays = np.sort(_largest_difference(border, background))
    ink *= ink > PAPER_GRAIN * strays[len(strays) * 3 // 4]
    return _at_full_strength(ink)


def _at_full_strength(ink):
    """The strongest ink becomes 1; what is too faint is no ink."""
    strongest = ink.max(initial=0.0)
    if strongest < FAINTEST_INK:
        return np.zeros_like(ink)
    ink /= strongest
    return ink


def _without_margins(pixels, colour):
    """(height, width, channels), without the rows and columns at the sides that have this colour and no other. Pictures as small
    as MNIST's stay as they are: looking for margins would take longer than they do."""
    height, width, channels = pixels.shape
    if height * width <= PICTURE_SIDE**2:
        return pixels
    others = pixels.reshape(height, -1) != np.tile(colour, width)  # whole rows at once: the last axis alone is too short
    rows, columns = others.any(axis=1), others.any(axis=0).reshape(width, channels).any(axis=1)
    return pixels[_extent(rows), _extent(columns)]


def _extent(chosen):
    """(n,) of booleans -> the slice from the first that is true to the last; an empty one if none is."""
    at = chosen.nonzero()[0]
    return slice(at[0], at[-1] + 1) if at.size else slice(0, 0)


def _largest_difference(pixels, colour):
    """(…, channels) -> (…): how far each pixel is from the colour, in the channel that is furthest. One channel after the other,
    as a maximum over the short last axis would take ten times as long."""
    largest = np.abs(pixels[..., 0] - colour[0])
    for channel in range(1, len(colour)):
        np.maximum(largest, np.abs(pixels[..., channel] - colour[channel]), out=largest)
    return largest


def _border(pixels):
    """The outermost pixels, (n, channels)."""
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def _is_dot(box, picture_side):
    side = max(box.shape)
    return side <= DOT_SIZE * picture_side and box.sum() >= DOT_FILL * side * side


def _resampling(length, new_length):
    """(new_length, length): each row the weights of the old pixels in a new one, a triangle as wide as what it covers."""
    ratio = length / new_length
    centres = (np.arange(new_length) + 0.5) * ratio
    distances = np.abs(np.arange(length) + 0.5 - centres[:, None])
    weights = np.maximum(0.0, 1.0 - distances / max(ratio, 1.0))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _place(box):
    """Ink of at most 20 x 20 -> picture: moved by whole pixels so that its centre of mass is in the middle."""
    picture = _blank()
    levels = np.rint(box * 255.0) / 255.0
    total = levels.sum()
    slices = []
    for side, sums in zip(box.shape, (levels.sum(axis=1), levels.sum(axis=0))):
        centre_of_mass = float(sums @ PLACES[:side]) / total
        start = min(max(int(np.floor(CENTRE - centre_of_mass + 0.5)), 0), PICTURE_SIDE - side)
        slices.append(slice(start, start + side))
    picture[tuple(slices)] = levels
    return picture


def _blank():
    return np.zeros((PICTURE_SIDE, PICTURE_SIDE), np.float32)
