"""preprocess: normalize MNIST's digits and split them; add users' accepted drawings to the training split.

The held-out splits never change, and no image in them is trained on.
"""

import logging
from pathlib import Path

import numpy as np
from digitnet.arrays import Bytes
from digitnet.checkpoint import npz_bytes, write_atomically
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_bytes
from digitnet.mnist import read_images, read_labels

from trainer.data.fetch import fetch, read_pins
from trainer.data.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from trainer.feedback.decisions import Decisions
from trainer.settings import PreprocessSettings

log = logging.getLogger(__name__)


def preprocess(
    settings: PreprocessSettings, mnist_folder: Path, pins_file: Path, decisions: Decisions, digits_file: Path
) -> None:
    """Write the three splits into one .npz. The accepted drawings follow MNIST's digits in the training split."""
    fetch(mnist_folder, read_pins(pins_file))
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
        arrays[f"{split}_pictures"] = np.stack([in_bytes(image_from_pixels(image)) for image in split_images])
        arrays[f"{split}_labels"] = split_labels
        log.info("%s: %d digits", split, len(split_labels))
    drawn, drawn_labels = _learnable(*decisions.accepted_drawings(), arrays)
    arrays["training_pictures"] = np.concatenate([arrays["training_pictures"], drawn])
    arrays["training_labels"] = np.concatenate([arrays["training_labels"], drawn_labels])
    write_atomically(digits_file, npz_bytes(arrays))


def _learnable(images: Bytes, labels: Bytes, arrays: dict[str, Bytes]) -> tuple[Bytes, Bytes]:
    """Return the drawings that are not held-out digits, which anybody could send as feedback."""
    held_out = {image.tobytes() for split in ("validation", "test") for image in arrays[f"{split}_pictures"]}
    chosen = np.array([image.tobytes() not in held_out for image in images], bool)
    if len(images):
        log.info("training: %d user drawings more; left out %d that are held-out digits", chosen.sum(), np.sum(~chosen))
    return images[chosen], labels[chosen]
