"""The prepared digits, as preprocess leaves them and the stages after it read them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from digitnet.checkpoint import npz_arrays

SPLITS = ("training", "validation", "test")
GOLDEN_PER_DIGIT = 2


@dataclass(frozen=True)
class Split:
    """pictures uint8 (n, 28, 28), labels int64 (n,) in 0..9."""

    pictures: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def digest(self) -> str:
        """What data this is, as a hash."""
        return hashlib.sha256(self.pictures.tobytes() + self.labels.tobytes()).hexdigest()

    def golden_pictures(self) -> np.ndarray:
        """The first pictures of each digit, uint8 (n, 28, 28): a model carries them and what it answered."""
        return np.concatenate([self.pictures[self.labels == digit][:GOLDEN_PER_DIGIT] for digit in range(10)])


def load_splits(digits_file: Path) -> dict[str, Split]:
    """The splits named in SPLITS. ValueError if the file is not what preprocess writes, OSError if it cannot be read."""
    try:
        arrays = npz_arrays(digits_file.read_bytes())
        return {split: Split(arrays[f"{split}_pictures"], arrays[f"{split}_labels"].astype(np.int64)) for split in SPLITS}
    except (ValueError, KeyError) as error:
        raise ValueError(f"{digits_file} is damaged or foreign: {error}; delete it and run dvc repro") from error


def in_unit_range(pictures: np.ndarray) -> np.ndarray:
    """uint8 0..255 -> float32 in [0, 1], as digitnet.drawing's pictures are."""
    return pictures.astype(np.float32) / np.float32(255.0)
