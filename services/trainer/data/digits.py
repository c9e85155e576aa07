"""Load the images of preprocess, synthesize and corrupt, and predict them with a network."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from digitnet.arrays import Arrays, Bools, Bytes, Floats, Integers
from digitnet.checkpoint import npz_arrays
from digitnet.decision import Decision, Predictions
from digitnet.images.normalize import in_unit_range
from digitnet.losses import softmax_cross_entropy
from digitnet.network import DIGITS, NO_DIGIT, Network

SPLITS = ("training", "validation", "test")
GOLDEN_PER_DIGIT = 2

Chosen = Bools | Integers | slice  # rows of an array
Drawing = list[Floats]  # strokes, each (n, 2) in the canvas's pixels, y down


@dataclass(frozen=True)
class Split:
    """Images, uint8 (n, 28, 28), and labels, int64 (n,) in 0..9, or 10 for no digit."""

    images: Bytes
    labels: Integers

    def __len__(self) -> int:
        return len(self.labels)

    def digest(self) -> str:
        return hashlib.sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()

    def only(self, chosen: Chosen) -> "Split":
        return Split(self.images[chosen], self.labels[chosen])

    def golden_images(self) -> Bytes:
        """Return the first images of each digit, uint8 (20, 28, 28). A saved model has them with its answers."""
        return np.concatenate([self.images[self.labels == digit][:GOLDEN_PER_DIGIT] for digit in range(DIGITS)])


def joined(*splits: Split) -> Split:
    return Split(np.concatenate([split.images for split in splits]), np.concatenate([split.labels for split in splits]))


@dataclass(frozen=True)
class Synthetic:
    """The output of synthesize: the splits, and for each image its form as an index into form_names."""

    splits: dict[str, Split]
    forms: dict[str, Integers]
    form_names: list[str]

    def digits(self, split: str) -> Split:
        return self.splits[split].only(self.splits[split].labels != NO_DIGIT)

    def non_digits(self, split: str) -> Split:
        return self.splits[split].only(self.splits[split].labels == NO_DIGIT)


def load_splits(file: Path) -> dict[str, Split]:
    """Load the splits named in SPLITS. Each of these loaders raises ValueError for a damaged file."""
    with _arrays(file) as arrays:
        return _splits(arrays)


def load_synthetic(file: Path) -> Synthetic:
    with _arrays(file) as arrays:
        forms: dict[str, Integers] = {split: arrays[f"{split}_forms"].astype(np.int64) for split in SPLITS}
        return Synthetic(_splits(arrays), forms, [str(name) for name in arrays["form_names"]])


def drawing_arrays(drawings: list[Drawing]) -> Arrays:
    """Return drawings as flat arrays: points int16 (p, 2), points_of_stroke int32 (s,), strokes_of_drawing int32 (d,)."""
    strokes = [stroke for drawing in drawings for stroke in drawing]
    return {
        "points": np.concatenate(strokes).astype(np.int16) if strokes else np.empty((0, 2), np.int16),
        "points_of_stroke": np.array([len(stroke) for stroke in strokes], np.int32),
        "strokes_of_drawing": np.array([len(drawing) for drawing in drawings], np.int32),
    }


def load_drawings(file: Path) -> tuple[list[Drawing], Integers]:
    """Load the strokes of the synthetic test split, and its labels int64 (n,)."""
    with _arrays(file) as arrays:
        ends = np.cumsum(arrays["points_of_stroke"])[:-1]
        strokes = iter(np.split(arrays["points"].astype(np.float64), ends))
        drawings = [list(islice(strokes, count)) for count in arrays["strokes_of_drawing"]]
        return drawings, arrays["test_labels"].astype(np.int64)


def load_corrupted(file: Path) -> tuple[list[tuple[str, str, str]], Integers, Split]:
    """Load the corruptions as (source, change, value), for each image the index of its corruption (n,), and the images."""
    with _arrays(file) as arrays:
        split = Split(arrays["pictures"], arrays["labels"].astype(np.int64))
        return list(map(tuple, arrays["conditions"].tolist())), arrays["condition"], split


@dataclass(frozen=True)
class Answers:
    """A network's output for a split: features (n, width), the input of its last layer, and logits (n, classes)."""

    split: Split
    features: Floats
    logits: Floats

    @property
    def labels(self) -> Integers:
        return self.split.labels

    @property
    def loss(self) -> float:
        """The mean loss over the split. All labels must be classes of the network."""
        return softmax_cross_entropy(self.logits.T, self.labels)[0]

    @cached_property
    def predicted(self) -> Integers:
        """The likeliest digit of each image, int (n,)."""
        return self.predictions(Decision()).digit

    @property
    def right(self) -> Bools:
        """Whether the likeliest digit is the label, bool (n,)."""
        return np.equal(self.predicted, self.labels)

    def predictions(self, decision: Decision) -> Predictions:
        return decision.predictions(self.logits, self.split.images)

    def only(self, chosen: Chosen) -> "Answers":
        return Answers(self.split.only(chosen), self.features[chosen], self.logits[chosen])


def answers(network: Network, split: Split) -> Answers:
    features = network.predict_features(in_unit_range(split.images))
    return Answers(split, features, network.logits_of(features))


def joined_answers(*parts: Answers) -> Answers:
    features, logits = (np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "logits"))
    return Answers(joined(*(part.split for part in parts)), features, logits)


def share(chosen: Bools) -> float:
    return float(chosen.mean()) if chosen.size else 0.0


def _splits(arrays: Arrays) -> dict[str, Split]:
    return {split: Split(arrays[f"{split}_pictures"], arrays[f"{split}_labels"].astype(np.int64)) for split in SPLITS}


@contextmanager
def _arrays(file: Path) -> Iterator[Arrays]:
    """Yield the arrays of an .npz file. ValueError names the file if it is damaged or lacks an array."""
    try:
        yield npz_arrays(file.read_bytes())
    except (ValueError, KeyError) as error:
        raise ValueError(f"{file} is damaged, or another program wrote it: {error}; delete it and run dvc repro") from error
