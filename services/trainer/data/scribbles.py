"""Scribble as people do who draw nothing: tangles, circles over circles, zigzags. They have no forms in forms.yaml, but a
random walk."""

import numpy as np
from digitnet.arrays import Floats

from trainer.data.paths import evenly, noise, rotation, smoothed

# Lengths are in some unit: the scribble is sized when it is put on the canvas.
STEP = 0.05  # of a random walk whose direction keeps changing
STEPS = (40, 300)  # in a stroke
BEND = (0.05, 0.5)  # standard deviation of its curvature, radians a step: from sweeps to tangles
MEMORY = 0.9  # how much of its curvature it keeps from step to step: it forgets a bend in some ten
CIRCLING = 0.12  # standard deviation of a stroke's mean curvature: some go round and round
ZIGZAG = 0.3  # how many scribbles go to and fro instead
ZIGZAGS, ZIGZAG_WIDTH = (6, 16), (0.5, 2.5)  # their turns, and how far they get
APART = 0.5  # standard deviation of the strokes' places
LEAST = 5.0  # how long it is at least, times its larger side: shorter ones may look like a digit
ROUNDING = (0.0, 0.05)  # of a zigzag's corners


def scribble(generator: np.random.Generator) -> list[Floats]:
    """Return the paths of its strokes, each (n, 2)."""
    if generator.random() < ZIGZAG:
        count = int(generator.integers(*ZIGZAGS))
        x = generator.uniform(*ZIGZAG_WIDTH) * np.sort(generator.random(count))
        y = (np.arange(count) % 2) + noise(generator, 0.2, count)
        turned = np.stack([x, y], axis=1) @ rotation(generator.uniform(0.0, np.pi)).T
        return [smoothed(evenly(turned), generator.uniform(*ROUNDING))]
    paths, bend = [], np.exp(generator.uniform(*np.log(BEND)))
    memory = MEMORY ** np.arange(40) * np.sqrt(1.0 - MEMORY**2)
    while True:
        steps = int(generator.integers(*STEPS))
        curvature = np.convolve(noise(generator, bend, steps), memory)[:steps] + noise(generator, CIRCLING)
        headings = generator.uniform(0.0, 2.0 * np.pi) + np.cumsum(curvature)
        path = np.cumsum(STEP * np.stack([np.cos(headings), np.sin(headings)], axis=1), axis=0)
        paths.append(path - path.mean(axis=0) + noise(generator, APART, 2))
        every = np.concatenate(paths)
        if len(every) * STEP >= LEAST * np.ptp(every, axis=0).max():
            return paths
