"""Drawings from a known distribution, and images of a shaking pen."""

import numpy as np
import pytest
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import image_from_strokes
from drift.reference import SUBJECTS, Drawings, measured

STROKES = {
    0: [[(140, 50), (90, 90), (85, 180), (140, 230), (195, 180), (190, 90), (140, 50)]],
    1: [[(140, 50), (138, 120), (140, 230)]],
    4: [[(150, 50), (80, 160), (200, 160)], [(165, 110), (160, 235)]],
    7: [[(80, 60), (200, 60), (160, 140), (130, 230)]],
}


@pytest.fixture
def generator():
    return np.random.default_rng(20260301)


@pytest.fixture(scope="session")
def population():
    """population(generator, count, digits=None): drawings with normal values whose means grow with the digit."""

    def population(generator, count, digits=None):
        digits = generator.integers(10, size=count) if digits is None else digits
        values = generator.standard_normal((count, len(SUBJECTS))) + digits[:, None] / 5.0
        values[:, SUBJECTS.index("confidence")] = 1.0 - generator.random(count) ** 4 / 10.0
        return Drawings(values, digits, generator.random(count) < 0.002)

    return population


@pytest.fixture
def images():
    """images(generator, count): four kinds of digits with noise and slant, uint8 (count, 28, 28)."""

    def images(generator, count):
        made = []
        for digit in generator.choice(list(STROKES), count):
            lean = generator.normal(0.0, 0.2)
            strokes = [np.array(stroke) + generator.normal(0.0, 4.0, (len(stroke), 2)) for stroke in STROKES[digit]]
            made.append(image_from_strokes([np.column_stack([s[:, 0] - lean * s[:, 1], s[:, 1]]) for s in strokes]))
        return in_bytes(np.stack(made))

    return images


@pytest.fixture
def measure_images(generator):
    """measure_images(images): their drift features, with arbitrary digits and confidences."""

    def measure_images(images):
        count = len(images)
        return measured(images, np.arange(count) % 10, generator.uniform(0.9, 1.0, count), np.zeros(count, bool))

    return measure_images
