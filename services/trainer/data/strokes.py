"""Write a form of forms.yaml as a hand would, in strokes on the page's canvas.

A writer has habits that all their digits share; each digit then varies about them. A form is written in this order:

    control points   pushed about together, by a smooth warp of the plane, and a little each by itself
    each stroke      set off from its place, wandering, in tremor, too long or too short, perhaps with hooks, its corners rounded
    all of it        stretched, slanted, turned, and put somewhere on the canvas
    the points       as a pen or mouse reports them: closer where it moves slowly, on whole pixels
"""

from dataclasses import dataclass

import numpy as np
from digitnet.arrays import Floats
from digitnet.images.strokes import PEN_RADIUS, path_lengths

from trainer.data.digits import Drawing
from trainer.data.forms import DIGITS, KINDS, Form, read_forms
from trainer.data.paths import CANVAS_SIDE, PATH_STEP, evenly, interpolated, noise, rotation, smoothed

MARGIN = 10.0  # pixels at the canvas's border that people leave free

# Lengths are in heights of the form, angles in radians, unless it says otherwise; "times haste" is multiplied by the writer's.
# Normal noise is clipped at paths.DEVIATIONS standard deviations.
TASTE = 1.0  # how much a writer's preference for a form strays from its weight: standard deviation of its logarithm
HASTE = 0.35  # the same of how carelessly a writer writes; the median is 1
HASTE_RANGE = (0.5, 1.6)  # no hand is steadier or more hurried
SLANT, WRITERS_SLANT = 0.07, 0.18  # x per y, to the right at the top: standard deviations, within a writer and between writers
MEAN_SLANT = 0.06  # most people lean to the right a little
SLANT_RANGE = (-0.3, 0.55)
TURN, WRITERS_TURN = 0.05, 0.05  # rotation
TURN_LIMIT = 0.26  # either way, 15 degrees: beyond it a 7 becomes a 1, and a 9 a 6
ASPECT, WRITERS_ASPECT = 0.11, 0.18  # standard deviations of the logarithm of width over height
ASPECT_RANGE = (0.65, 1.55)  # times the form's own
SIZE, WRITERS_SIZE = 0.12, 0.35  # standard deviations of the logarithm of the height
MEDIAN_SIZE, SIZE_RANGE = 140.0, (45.0, 260.0)  # pixels
WARP, WRITERS_WARP = 0.02, 0.025  # of the warp's coefficients: how far it moves the box's corners; times haste
WARP_TERMS = 5  # _warp_terms has them
JITTER = 0.012  # of each control point by itself; times haste
OFFSET = 0.03  # of every stroke but the first, each way: bars that miss or overlap; times haste
STROKE_SIZE, STROKE_TURN = 0.07, 0.05  # of every stroke but the first: logarithm of its length, and its rotation; times haste
LOOSENESS = 2.0  # times these three, of the strokes that the file marks as loose
WANDER = 0.028  # slow straying, half a wave in the stroke's length: loops that gape or overlap; times haste
WANDER_WAVES = 3  # half waves in a stroke; the n-th is 1/n as strong
TREMOR = 0.006  # quick straying; times the writer's own tremor, which is exponential: most hands have little, some much
TREMOR_LIMIT = 2.5  # times the mean: a tremor beyond it would draw other shapes
TREMOR_LENGTH = 0.08  # along the path, from one push to the next
OVERSHOOT = 0.04  # by how much a stroke's end is late or early; times haste
OVERSHOOT_RANGE = (-0.08, 0.12)
LARGEST_CUT = 0.15  # of the stroke's length
HOOK_PROBABILITY = 0.25  # at an end of a stroke, for the writer who makes most of them; others less, evenly down to none
HOOK_LENGTH = (0.02, 0.07)
HOOK_TURN = (1.6, 2.9)  # away from the stroke's direction, to either side
ROUNDING = (0.0, 0.045)  # of corners: standard deviation of the Gaussian that smooths the path
SPACING, SPACING_RANGE = 5.0, (1.5, 14.0)  # pixels from a reported point to the next: median and range over writers
SPACING_SPREAD = 0.6  # standard deviation of its logarithm
PACE = 0.35  # how much a hand's speed changes within a stroke: standard deviation of its logarithm
PACES = 5  # how often it does in a stroke

OTHER_PENS = 0.3  # how many writers have a pen that is wider or thinner beside their writing than MNIST's
PENS = (0.5, 3.2)  # its radius in the image's pixels: brushes from 8 to 32 on digits as small and as large as people write them

SCRIBBLE = "scribble"
NUMBER = "number"
NON_DIGITS = {"capitals": 0.5, "small letters": 0.13, "symbols": 0.17, SCRIBBLE: 0.12, NUMBER: 0.08}  # how often each is drawn
NUMBER_GAP = (0.12, 0.35)  # between the two digits of a number

# Of scribbles, in some unit: they are sized when they are put on the canvas.
WALK_STEP = 0.05  # of a random walk whose direction keeps changing
WALK_STEPS = (40, 300)  # in a stroke
BEND = (0.05, 0.5)  # standard deviation of its curvature, radians a step: from sweeps to tangles
MEMORY = 0.9  # how much of its curvature it keeps from step to step: it forgets a bend in some ten
CIRCLING = 0.12  # standard deviation of a stroke's mean curvature: some go round and round
ZIGZAG = 0.3  # how many scribbles go to and fro instead
ZIGZAGS, ZIGZAG_WIDTH = (6, 16), (0.5, 2.5)  # their turns, and how far they get
APART = 0.5  # standard deviation of the strokes' places
LEAST = 5.0  # how long it is at least, times its larger side: shorter ones may look like a digit
ZIGZAG_ROUNDING = (0.0, 0.05)  # of a zigzag's corners


@dataclass(frozen=True)
class Writer:
    """One person's habits. `taste` has a factor for the weight of each form."""

    taste: Floats
    haste: float
    slant: float
    turn: float
    stretch: float  # logarithm of width over height, beside the form's own
    size: float  # pixels
    warp: Floats
    tremor: float
    hooks: float  # probability
    rounding: float
    spacing: float  # pixels
    pen: float  # radius in the pixels of the image that the network reads


class Forms:
    """Write the forms of forms.yaml. `forms` are in the file's order; `names` has theirs, and SCRIBBLE and NUMBER."""

    def __init__(self) -> None:
        self.forms = read_forms()
        self.names = (*(form.name for form in self.forms), SCRIBBLE, NUMBER)
        self._indices: dict[str, dict[str, list[int]]] = {kind: {} for kind in KINDS}
        for index, form in enumerate(self.forms):
            if form.like is None:  # people could not tell the others from a digit
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
        """Write a digit; return its strokes and the form's name. Without a writer a new one is made."""
        writer = writer or self.writer(generator)
        form = self._choose(self._indices[DIGITS][str(digit)], writer, generator)
        return self.write(form, generator, writer), form.name

    def non_digit(self, generator: np.random.Generator, writer: Writer | None = None) -> tuple[Drawing, str]:
        """Write a letter, a symbol, a scribble or a two-digit number."""
        writer = writer or self.writer(generator)
        kind = generator.choice(list(NON_DIGITS), p=list(NON_DIGITS.values()))
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
            right = max(path[:, 0].max() for path in paths) + generator.uniform(*NUMBER_GAP)
        return paths


def _warp_terms(points: Floats) -> Floats:
    """Return the terms (n, WARP_TERMS) of a smooth warp, each 1 at the box's corner."""
    u, v = 2.0 * points[:, 0] - 0.6, 2.0 * points[:, 1] - 1.0  # a form is about 0.6 wide
    return np.stack([u * u, u * v, v * v, u * v * v, v * v * v], axis=1)


def _written(form: Form, writer: Writer, generator: np.random.Generator) -> Drawing:
    """Return the form's paths as the writer writes them, unslanted, in heights of the form."""
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
            for _ in range(2):  # one end, then the other
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
    """Draw the path's end on or cut it, and perhaps add a hook."""
    change = float(np.clip(noise(generator, OVERSHOOT * writer.haste), *OVERSHOOT_RANGE))
    count = min(round(abs(change) / PATH_STEP), int(LARGEST_CUT * len(path)))
    if count and change < 0.0:
        path = path[:-count]
    direction = path[-1] - path[-3]
    direction = direction / max(np.hypot(*direction), 1e-9)
    if count and change > 0.0:
        # The mirror image of the path's last bit, so that a bend goes on bending.
        back = path[-2 : -2 - count : -1] - path[-1]
        path = np.concatenate([path, path[-1] + back - 2.0 * (back @ direction)[:, None] * direction])
    if generator.random() < writer.hooks:
        turn = generator.uniform(*HOOK_TURN) * generator.choice([-1.0, 1.0])
        hook = path[-1] + generator.uniform(*HOOK_LENGTH) * rotation(turn) @ direction
        path = np.concatenate([path, evenly(np.stack([path[-1], hook]))[1:]])
    return path


def scribble(generator: np.random.Generator) -> Drawing:
    """Scribble as people do who draw nothing: tangles, circles over circles, zigzags."""
    if generator.random() < ZIGZAG:
        count = int(generator.integers(*ZIGZAGS))
        x = generator.uniform(*ZIGZAG_WIDTH) * np.sort(generator.random(count))
        y = (np.arange(count) % 2) + noise(generator, 0.2, count)
        turned = np.stack([x, y], axis=1) @ rotation(generator.uniform(0.0, np.pi)).T
        return [smoothed(evenly(turned), generator.uniform(*ZIGZAG_ROUNDING))]
    paths, bend = [], np.exp(generator.uniform(*np.log(BEND)))
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
    """Stretch, slant, turn, size and place paths: heights -> pixels, in points as a pen reports them."""
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
    """Return the points that a pen or mouse reports of a path, in whole pixels."""
    if len(path) > 1:
        lengths = path_lengths(path)
        steps = max(1, round(lengths[-1] / spacing))
        pace = np.exp(np.interp(np.linspace(0.0, 1.0, steps), np.linspace(0.0, 1.0, PACES), noise(generator, PACE, PACES)))
        at = np.concatenate([[0.0], np.cumsum(pace)])
        path = interpolated(path, lengths, at * (lengths[-1] / at[-1]))
    return np.rint(path)
