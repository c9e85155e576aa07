"""Write a form of forms.yaml like a human hand, in strokes on the page's canvas.

All digits of a writer share the writer's habits; each digit then varies at random. A form is written in this order:

    1. Its control points move together, by a smooth warp of the plane. Each also moves a little on its own.
    2. Each stroke gets an offset, wander and tremor. Its ends become longer or shorter, or get hooks. Its corners are rounded.
    3. The whole form is stretched, slanted, rotated, and placed on the canvas.
    4. The points are sampled as from a pen or mouse: closer where it moves slowly, on whole pixels.
"""

from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Floats
from digitnet.images.strokes import PEN_RADIUS, path_lengths

from trainer.data.digits import Drawing
from trainer.data.forms import DIGITS, KINDS, Form, read_forms
from trainer.data.paths import CANVAS_SIDE, PATH_STEP, evenly, interpolated, noise, rotation, smoothed

MARGIN = 10.0  # Free pixels at the canvas's border.

# The default units are heights of the form and radians. A plain number is a standard deviation unless it says otherwise. Noise
# is clipped at paths.DEVIATIONS of them. "x haste" means multiplied by the writer's haste. WRITERS_… varies between writers. The
# constant without this prefix varies within one writer.
TASTE = 1.0  # Of the logarithm of a writer's preference for a form.
HASTE = 0.35  # Of the logarithm of a writer's carelessness, whose median is 1.
HASTE_RANGE = (0.5, 1.6)
SLANT, WRITERS_SLANT = 0.07, 0.18  # x per y, to the right at the top.
MEAN_SLANT = 0.06  # Most people slant to the right.
SLANT_RANGE = (-0.3, 0.55)
TURN, WRITERS_TURN = 0.05, 0.05  # Rotation.
TURN_LIMIT = 0.26  # 15 degrees either way. Beyond it a 7 becomes a 1, and a 9 becomes a 6.
ASPECT, WRITERS_ASPECT = 0.11, 0.18  # Of the logarithm of width over height.
ASPECT_RANGE = (0.65, 1.55)  # Relative to the form.
SIZE, WRITERS_SIZE = 0.12, 0.35  # Of the logarithm of the height.
MEDIAN_SIZE, SIZE_RANGE = 140.0, (45.0, 260.0)  # Pixels.
WARP, WRITERS_WARP = 0.02, 0.025  # Of the warp's coefficients, the shifts of the box's corners, x haste.
WARP_TERMS = 5  # The columns of _warp_terms.
JITTER = 0.012  # Of each control point, x haste.
OFFSET = 0.03  # Of each stroke after the first, in x and in y, x haste.
STROKE_SIZE, STROKE_TURN = 0.07, 0.05  # Of each stroke after the first, x haste: the logarithm of its length, and rotation.
LOOSENESS = 2.0  # Multiplies the last three for strokes that the file marks as loose.
WANDER = 0.028  # Of the slow deviation of a path, x haste. It opens loops or closes them.
WANDER_WAVES = 3  # Half waves in a stroke. The n-th has 1/n of the amplitude.
TREMOR = 0.006  # Of the quick deviation of a path, x the writer's tremor, which has an exponential distribution.
TREMOR_LIMIT = 2.5  # Times the mean. A stronger tremor would draw other shapes.
TREMOR_LENGTH = 0.08  # Along the path, between two deviations.
OVERSHOOT = 0.04  # Of the extra length at each end of a stroke, x haste.
OVERSHOOT_RANGE = (-0.08, 0.12)
LARGEST_CUT = 0.15  # Share of the stroke's length.
HOOK_PROBABILITY = 0.25  # At each end of a stroke, at most. Uniform between 0 and this over writers.
HOOK_LENGTH = (0.02, 0.07)
HOOK_TURN = (1.6, 2.9)  # Angle to the stroke's direction, on either side.
ROUNDING = (0.0, 0.045)  # Of the Gaussian that smooths a path and rounds its corners: the range over writers.
SPACING, SPACING_RANGE = 5.0, (1.5, 14.0)  # Pixels between reported points: the median, and the range over writers.
SPACING_SPREAD = 0.6  # Of its logarithm.
PACE = 0.35  # Of the logarithm of the pen's speed within a stroke.
PACES = 5  # Speeds in a stroke.

OTHER_PENS = 0.3  # Share of writers whose pen is not as wide as MNIST's.
PENS = (0.5, 3.2)  # Its radius in pixels of the image. Brushes of 8 to 32 canvas pixels, on small to large digits.

SCRIBBLE = "scribble"
NUMBER = "number"
NON_DIGITS = {"capitals": 0.5, "small letters": 0.13, "symbols": 0.17, SCRIBBLE: 0.12, NUMBER: 0.08}  # Share of each kind.
NUMBER_GAP = (0.12, 0.35)  # Between the two digits of a number.

# Scribbles. Their unit of length is arbitrary, because they are scaled to fit the canvas.
WALK_STEP = 0.05  # Of a random walk with a random curvature.
WALK_STEPS = (40, 300)  # In a stroke.
BEND = (0.05, 0.5)  # Of the curvature in radians a step: from sweeps to tangles.
MEMORY = 0.9  # Correlation of the curvature from step to step. A bend lasts about ten steps.
CIRCLING = 0.12  # Of a stroke's mean curvature. A large one draws circles.
ZIGZAG = 0.3  # Share of scribbles that are zigzags.
ZIGZAGS, ZIGZAG_WIDTH = (6, 16), (0.5, 2.5)  # Range of their turns and widths.
APART = 0.5  # Of the strokes' places.
LEAST = 5.0  # In units of the scribble's larger side. A shorter one may look like a digit.
ZIGZAG_ROUNDING = (0.0, 0.05)  # Of the Gaussian that rounds a zigzag's corners.


@dataclass(frozen=True)
class Writer:
    """One person's habits."""

    taste: Floats  # A factor for the weight of each form.
    haste: float
    slant: float
    turn: float
    stretch: float  # The logarithm of width over height, relative to the form.
    size: float  # Pixels.
    warp: Floats
    tremor: float
    hooks: float  # Probability.
    rounding: float
    spacing: float  # Pixels.
    pen: float  # Radius in pixels of the 28 x 28 image.


class Forms:
    """Write the forms of forms.yaml. `forms` are in the file's order; `names` are their names, then SCRIBBLE and NUMBER."""

    def __init__(self) -> None:
        self.forms = read_forms()
        self.names = (*(form.name for form in self.forms), SCRIBBLE, NUMBER)
        self._indices: dict[str, dict[str, list[int]]] = {kind: {} for kind in KINDS}
        for index, form in enumerate(self.forms):
            if form.like is None:  # The others look like a digit, so they are no examples of a non-digit.
                self._indices[form.kind].setdefault(form.what, []).append(index)

    def writer(self, generator: np.random.Generator) -> Writer:
        haste = float(np.clip(np.exp(noise(generator, HASTE)), *HASTE_RANGE))
        return Writer(
            taste=np.exp(noise(generator, TASTE, len(self.forms))),
            haste=haste,
            slant=MEAN_SLANT + noise(generator, WRITERS_SLANT),
            turn=noise(generator, WRITERS_TURN),
            stretch=noise(generator, WRITERS_ASPECT),
            size=MEDIAN_SIZE * np.exp(noise(generator, WRITERS_SIZE)),
            warp=noise(generator, WRITERS_WARP * haste, (WARP_TERMS, 2)),
            tremor=min(generator.exponential(), TREMOR_LIMIT),
            hooks=generator.uniform(0.0, HOOK_PROBABILITY),
            rounding=generator.uniform(*ROUNDING),
            spacing=float(np.clip(SPACING * np.exp(noise(generator, SPACING_SPREAD)), *SPACING_RANGE)),
            pen=float(np.exp(generator.uniform(*np.log(PENS)))) if generator.random() < OTHER_PENS else PEN_RADIUS,
        )

    def digit(self, digit: int, generator: np.random.Generator, writer: Writer | None = None) -> tuple[Drawing, str]:
        """Write a digit; return its strokes and the form's name. Without a writer, make a new one."""
        writer = writer or self.writer(generator)
        form = self._choose(self._indices[DIGITS][str(digit)], writer, generator)
        return self.write(form, generator, writer), form.name

    def non_digit(self, generator: np.random.Generator, writer: Writer | None = None) -> tuple[Drawing, str]:
        """Write a letter, a symbol, a scribble or a two-digit number."""
        writer = writer or self.writer(generator)
        kind = str(generator.choice(list(NON_DIGITS), p=list(NON_DIGITS.values())))
        if kind == SCRIBBLE:
            return _on_canvas(scribble(generator), writer, generator), SCRIBBLE
        if kind == NUMBER:
            return _on_canvas(self._number(writer, generator), writer, generator), NUMBER
        things = list(self._indices[kind].values())
        form = self._choose(things[generator.integers(len(things))], writer, generator)
        return self.write(form, generator, writer), form.name

    def write(self, form: Form, generator: np.random.Generator, writer: Writer | None = None) -> Drawing:
        writer = writer or self.writer(generator)
        return _on_canvas(_written(form, writer, generator), writer, generator)

    def _choose(self, indices: list[int], writer: Writer, generator: np.random.Generator) -> Form:
        weights = np.array([self.forms[index].weight * writer.taste[index] for index in indices])
        return self.forms[indices[generator.choice(len(indices), p=weights / weights.sum())]]

    def _number(self, writer: Writer, generator: np.random.Generator) -> Drawing:
        paths: Drawing = []
        right = 0.0
        for digit in generator.integers(0, 10, 2):
            written = _written(self._choose(self._indices[DIGITS][str(digit)], writer, generator), writer, generator)
            left = min(path[:, 0].min() for path in written)
            paths += [path + np.array([right - left, 0.0]) for path in written]
            right = float(max(path[:, 0].max() for path in paths)) + generator.uniform(*NUMBER_GAP)
        return paths


def _warp_terms(points: Floats) -> Floats:
    """Return the terms (n, WARP_TERMS) of a smooth warp, each 1 at a corner of the form's box."""
    u, v = 2.0 * points[:, 0] - 0.6, 2.0 * points[:, 1] - 1.0  # A form is about 0.6 heights wide.
    return np.stack([u * u, u * v, v * v, u * v * v, v * v * v], axis=1)


def _written(form: Form, writer: Writer, generator: np.random.Generator) -> Drawing:
    """Return the paths of a form by this writer, before slant and size, in heights of the form."""
    haste = writer.haste
    warp = writer.warp + noise(generator, WARP * haste, (WARP_TERMS, 2))
    paths: Drawing = []
    for index, stroke in enumerate(form.strokes):
        points: Floats = stroke.points + _warp_terms(stroke.points) @ warp + noise(generator, JITTER * haste, stroke.points.shape)
        if index:
            points = _misplaced(points, haste * (LOOSENESS if stroke.loose else 1.0), generator)
        path = evenly(stroke.curve @ points)
        if len(path) > 3:
            path = _strayed(path, haste, writer.tremor, generator)
            for _ in range(2):  # Each end.
                path = _ended(path[::-1], writer, generator)
            path = smoothed(path, writer.rounding)
        paths.append(path)
    return paths


def _misplaced(points: Floats, haste: float, generator: np.random.Generator) -> Floats:
    center: Floats = points.mean(axis=0)
    size = float(np.exp(noise(generator, STROKE_SIZE * haste)))
    turned: Floats = (points - center) @ rotation(noise(generator, STROKE_TURN * haste)).T
    return center + size * turned + noise(generator, OFFSET * haste, 2)


def _strayed(path: Floats, haste: float, tremor: float, generator: np.random.Generator) -> Floats:
    along = np.linspace(0.0, 1.0, len(path))
    waves = np.arange(1, WANDER_WAVES + 1)
    strengths = noise(generator, WANDER * haste, (WANDER_WAVES, 2)) / waves[:, None]
    path = path + np.cos(np.pi * along[:, None] * waves) @ strengths
    pushes = noise(generator, TREMOR * tremor, (2 + int(len(path) * PATH_STEP / TREMOR_LENGTH), 2))
    at = np.linspace(0.0, 1.0, len(pushes))
    return path + interpolated(pushes, at, along)


def _ended(path: Floats, writer: Writer, generator: np.random.Generator) -> Floats:
    """Lengthen or cut the path's end, perhaps add a hook."""
    change = float(np.clip(noise(generator, OVERSHOOT * writer.haste), *OVERSHOOT_RANGE))
    count = min(round(abs(change) / PATH_STEP), int(LARGEST_CUT * len(path)))
    if count and change < 0.0:
        path = path[:-count]
    direction = path[-1] - path[-3]
    direction = direction / max(np.hypot(*direction), 1e-9)
    if count and change > 0.0:
        # Add the mirror image of the path's end, which continues its curvature.
        back = path[-2 : -2 - count : -1] - path[-1]
        path = np.concatenate([path, path[-1] + back - 2.0 * (back @ direction)[:, None] * direction])
    if generator.random() < writer.hooks:
        turn = generator.uniform(*HOOK_TURN) * generator.choice([-1.0, 1.0])
        hook = path[-1] + generator.uniform(*HOOK_LENGTH) * rotation(turn) @ direction
        path = np.concatenate([path, evenly(np.stack([path[-1], hook]))[1:]])
    return path


def scribble(generator: np.random.Generator) -> Drawing:
    """Return a scribble: tangles, repeated circles or a zigzag."""
    if generator.random() < ZIGZAG:
        count = int(generator.integers(*ZIGZAGS))
        x = generator.uniform(*ZIGZAG_WIDTH) * np.sort(generator.random(count))
        y = (np.arange(count) % 2) + noise(generator, 0.2, count)
        turned = np.stack([x, y], axis=1) @ rotation(generator.uniform(0.0, np.pi)).T
        return [smoothed(evenly(turned), generator.uniform(*ZIGZAG_ROUNDING))]
    paths: Drawing = []
    bend = np.exp(generator.uniform(*np.log(BEND)))
    memory = MEMORY ** np.arange(40) * np.sqrt(1.0 - MEMORY**2)
    while True:
        steps = int(generator.integers(*WALK_STEPS))
        curvature = np.convolve(noise(generator, bend, steps), memory)[:steps] + noise(generator, CIRCLING)
        headings = generator.uniform(0.0, 2.0 * np.pi) + np.cumsum(curvature)
        path = np.cumsum(WALK_STEP * np.stack([np.cos(headings), np.sin(headings)], axis=1), axis=0)
        paths.append(path - path.mean(axis=0) + noise(generator, APART, 2))
        every = np.concatenate(paths)
        if len(every) * WALK_STEP >= LEAST * np.ptp(every, axis=0).max():
            return paths


def _on_canvas(paths: Drawing, writer: Writer, generator: np.random.Generator) -> Drawing:
    """Stretch, slant, rotate, scale and place paths: from heights to reported points in pixels."""
    slant = np.clip(writer.slant + noise(generator, SLANT), *SLANT_RANGE)
    turn = np.clip(writer.turn + noise(generator, TURN), -TURN_LIMIT, TURN_LIMIT)
    stretch = np.clip(np.exp(writer.stretch + noise(generator, ASPECT)), *ASPECT_RANGE)
    size = np.clip(writer.size * np.exp(noise(generator, SIZE)), *SIZE_RANGE)
    shape = rotation(turn) @ np.array([[stretch, -slant], [0.0, 1.0]])
    paths = [path @ shape.T for path in paths]
    every = np.concatenate(paths)
    corner, extent = every.min(axis=0), np.ptp(every, axis=0)
    room = CANVAS_SIDE - 2.0 * MARGIN
    size = min(size, room / extent.max())
    place = MARGIN + generator.uniform(0.0, 1.0, 2) * (room - size * extent)
    return [_reported((path - corner) * size + place, writer.spacing, generator) for path in paths]


def _reported(path: Floats, spacing: float, generator: np.random.Generator) -> Floats:
    """Sample a path like a pen or mouse, in whole pixels."""
    if len(path) > 1:
        lengths = path_lengths(path)
        steps = max(1, round(lengths[-1] / spacing))
        pace = np.exp(np.interp(np.linspace(0.0, 1.0, steps), np.linspace(0.0, 1.0, PACES), noise(generator, PACE, PACES)))
        at = np.concatenate([[0.0], np.cumsum(pace)])
        path = interpolated(path, lengths, at * (lengths[-1] / at[-1]))
    return np.rint(path)
