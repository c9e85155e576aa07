"""Read MNIST's files. Their format, IDX, is big-endian integers of four bytes, then a byte for each pixel or label.

    images    0x00000803, count, 28, 28, then the pixels: 0 for the background, 255 for full ink
    labels    0x00000801, count, then the labels, 0 to 9

Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import gzip
from pathlib import Path

import numpy as np

from digitnet.arrays import IMAGE_SIDE, Bytes, Floats, Integers

UNSIGNED_BYTES = 0x0800  # the magic number is this plus the number of axes


def read_mnist(folder: Path | str, split: str) -> tuple[Floats, Integers]:
    """Return the images, float32 (n, 28, 28) in [0, 1], and labels, int64 (n,), of the split "train" or "t10k" (test).

    ValueError if a file is missing or damaged.
    """
    pixels = read_images(Path(folder) / f"{split}-images-idx3-ubyte")
    return pixels.astype(np.float32) / np.float32(255.0), read_labels(Path(folder) / f"{split}-labels-idx1-ubyte").astype(
        np.int64
    )


def read_images(path: Path) -> Bytes:
    """Return the images of an IDX file or its .gz, uint8 (n, 28, 28), read-only. ValueError for a missing or wrong file."""
    return _read(path, [IMAGE_SIDE, IMAGE_SIDE])


def read_labels(path: Path) -> Bytes:
    """Return the labels of an IDX file or its .gz, uint8 (n,), read-only. ValueError for a missing or wrong file."""
    return _read(path, [])


def _read(path: Path, item_shape: list[int]) -> Bytes:
    compressed = path.with_name(f"{path.name}.gz")
    if not path.exists() and not compressed.exists():
        raise ValueError(f"{path} is missing: run `make data`, or copy MNIST's four files (plain or .gz) to {path.parent}/")
    try:
        content = path.read_bytes() if path.exists() else gzip.decompress(compressed.read_bytes())
        axes = 1 + len(item_shape)
        magic, count, *shape = np.frombuffer(content, ">u4", 1 + axes).tolist()
        if (magic, shape) != (UNSIGNED_BYTES + axes, item_shape):
            raise ValueError(
                f"it starts with {magic:#x} and has items of {shape}, not {UNSIGNED_BYTES + axes:#x} and {item_shape}"
            )
        return np.frombuffer(content, np.uint8, offset=4 * (1 + axes)).reshape(count, *shape)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged, or not an IDX file of this kind ({error}): delete it and run `make data`"
        ) from error
