"""preprocess: MNIST's files -> the pictures that training and measuring read.

Every digit goes through digitnet.drawing, as every drawing does when it is served, so that the figures measured here are
those that the service gives.
"""

import logging
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_bytes, write_atomically
from digitnet.drawing import in_bytes, picture_from_pixels

from trainer.fetch import fetch, read_pins
from trainer.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, read_images, read_labels
from trainer.settings import PreprocessSettings

log = logging.getLogger(__name__)


def preprocess(settings: PreprocessSettings, mnist_folder: Path, pins_file: Path, digits_file: Path) -> None:
    """Write the three splits into one .npz; the same data and settings give the same bytes."""
    fetch(mnist_folder, read_pins(pins_file))  # nothing to do where the files are there and right
    images = read_images(mnist_folder / TRAIN_IMAGES)
    labels = read_labels(mnist_folder / TRAIN_LABELS)
    order = np.random.default_rng(settings.seed).permutation(len(labels))
    validation, training = np.split(order, [settings.validation_size])
    arrays = {}
    for split, split_images, split_labels in (
        ("training", images[training], labels[training]),
        ("validation", images[validation], labels[validation]),
        ("test", read_images(mnist_folder / TEST_IMAGES), read_labels(mnist_folder / TEST_LABELS)),
    ):
        arrays[f"{split}_pictures"] = _pictures(split_images)
        arrays[f"{split}_labels"] = split_labels
        log.info("%s: %d digits", split, len(split_labels))
    write_atomically(digits_file, npz_bytes(arrays))


def _pictures(images):
    pictures = np.empty_like(images)
    for index, image in enumerate(images):
        pictures[index] = in_bytes(picture_from_pixels(image))
    return pictures
