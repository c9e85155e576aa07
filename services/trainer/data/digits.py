"""The prepared images, as preprocess and synthesize leave them and the stages after them read them."""

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_arrays
from digitnet.decision import Decision, Predictions
from digitnet.images.normalize import in_unit_range
from digitnet.losses import softmax_cross_entropy
from digitnet.network import NO_DIGIT, Network

SPLITS = ("training", "validation", "test")
GOLDEN_PER_DIGIT = 2


@dataclass(frozen=True)
class Split:
    """images uint8 (n, 28, 28), labels int64 (n,) in 0..9, or 10 for what is no digit."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def digest(self) -> str:
        """What data this is, as a hash."""
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()

    def only(self, chosen: np.ndarray) -> "Split":
        """Those of its images that a mask (n,) or indices choose."""
        return Split(self.images[chosen], self.labels[chosen])

    def golden_images(self) -> np.ndarray:
        """The first images of each digit, uint8 (n, 28, 28): a model carries them and what it answered."""
        return np.concatenate([self.images[self.labels == digit][:GOLDEN_PER_DIGIT] for digit in range(10)])


def joined(first: Split, second: Split) -> Split:
    """The images of both, those of the first first."""
    return Split(np.concatenate([first.images, second.images]), np.concatenate([first.labels, second.labels]))


def load_splits(digits_file: Path) -> dict[str, Split]:
    """The splits named in SPLITS. ValueError if the file is not what preprocess writes, OSError if it cannot be read."""
    with _damage_named(digits_file):
        return _splits(npz_arrays(digits_file.read_bytes()))


@dataclass(frozen=True)
class Synthetic:
    """What synthesize wrote: the splits, and for each of their images the form, as a number in form_names."""

    splits: dict[str, Split]
    forms: dict[str, np.ndarray]
    form_names: list[str]

    def digits(self, split: str) -> Split:
        return self.splits[split].only(self.splits[split].labels != NO_DIGIT)

    def non_digits(self, split: str) -> Split:
        return self.splits[split].only(self.splits[split].labels == NO_DIGIT)


def load_synthetic(file: Path) -> Synthetic:
    """ValueError if the file is not what synthesize writes, OSError if it cannot be read."""
    with _damage_named(file):
        arrays = npz_arrays(file.read_bytes())
        forms = {split: arrays[f"{split}_forms"].astype(np.int64) for split in SPLITS}
        return Synthetic(_splits(arrays), forms, [str(name) for name in arrays["form_names"]])


def drawing_arrays(drawings: list[list[np.ndarray]]) -> dict[str, np.ndarray]:
    """Drawings, each a list of strokes (n, 2) in whole pixels -> arrays for an .npz: all points int16 (p, 2) in a row, how many
    are in each stroke (s,), and how many strokes in each drawing (d,), both int32."""
    strokes = [stroke for drawing in drawings for stroke in drawing]
    return {
        "points": np.concatenate(strokes).astype(np.int16) if strokes else np.empty((0, 2), np.int16),
        "points_of_stroke": np.array([len(stroke) for stroke in strokes], np.int32),
        "strokes_of_drawing": np.array([len(drawing) for drawing in drawings], np.int32),
    }


def load_drawings(file: Path) -> tuple[list[list[np.ndarray]], np.ndarray]:
    """The strokes of the synthetic test split, as synthesize wrote them, and its labels int64 (n,)."""
    with _damage_named(file):
        arrays = npz_arrays(file.read_bytes())
        ends = np.cumsum(arrays["points_of_stroke"])[:-1]
        strokes = iter(np.split(arrays["points"].astype(np.float64), ends))
        drawings = [list(islice(strokes, count)) for count in arrays["strokes_of_drawing"]]
        return drawings, arrays["test_labels"].astype(np.int64)


def load_disturbed(file: Path) -> tuple[list[tuple[str, str, str]], np.ndarray, Split]:
    """What disturb wrote: its conditions, as (source, change, value), all images, and the condition's number of each, (n,)."""
    with _damage_named(file):
        arrays = npz_arrays(file.read_bytes())
        split = Split(arrays["pictures"], arrays["labels"].astype(np.int64))
        return [tuple(condition) for condition in arrays["conditions"].tolist()], arrays["condition"], split


@dataclass(frozen=True)
class Answers:
    """What a network makes of a split, from one pass through it: the features (n, width) that its last layer reads, and the
    logits (n, classes), beside the labels int (n,) and the images (n, 28, 28)."""

    features: np.ndarray
    logits: np.ndarray
    labels: np.ndarray
    images: np.ndarray

    def predictions(self, decision: Decision) -> Predictions:
        return decision.predictions(self.logits, self.images)

    @property
    def loss(self) -> float:
        """The mean over the split, all of whose labels must be classes of the network."""
        return softmax_cross_entropy(self.logits.T, self.labels)[0]

    @property
    def right(self) -> np.ndarray:
        """Whether each is read as the digit that it is, bool (n,)."""
        return self.predicted == self.labels

    @property
    def predicted(self) -> np.ndarray:
        """The digit that each is read as, int (n,)."""
        return self.predictions(Decision()).digit

    @property
    def no_digit(self) -> np.ndarray:
        """The probability that it is none, (n,)."""
        return self.predictions(Decision()).no_digit


def answers(network: Network, split: Split) -> Answers:
    features = network.predict_features(in_unit_range(split.images))
    return Answers(features, network.logits_of(features), split.labels, split.images)


def _splits(arrays):
    return {split: Split(arrays[f"{split}_pictures"], arrays[f"{split}_labels"].astype(np.int64)) for split in SPLITS}


@contextmanager
def _damage_named(file):
    try:
        yield
    except (ValueError, KeyError) as error:
        raise ValueError(f"{file} is damaged or foreign: {error}; delete it and run dvc repro") from error
