"""Read and write MNIST's file format, IDX: big-endian integers of four bytes, then a byte for each pixel or label.

    images    0x00000803, count, 28, 28, then the pixels: 0 background, 255 full ink
    labels    0x00000801, count, then the labels, 0 to 9

Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import math
import struct
from pathlib import Path

import numpy as np
from digitnet.arrays import IMAGE_SIDE, Bytes

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

UNSIGNED_BYTES = 0x0800  # and the number of axes


def read_images(path: Path) -> Bytes:
    """Return the images of an IDX file, uint8 (n, 28, 28) in 0..255, read-only. ValueError if it has none."""
    return _read(path, (IMAGE_SIDE, IMAGE_SIDE))


def read_labels(path: Path) -> Bytes:
    """Return the labels of an IDX file, uint8 (n,), read-only. ValueError if it has none."""
    return _read(path, ())


def idx_bytes(array: Bytes) -> bytes:
    """Return the content of an IDX file for images uint8 (n, 28, 28) or labels uint8 (n,)."""
    return _header(*array.shape) + array.tobytes()


def _read(path: Path, item_shape: tuple[int, ...]) -> Bytes:
    content = path.read_bytes()
    size = len(_header(0, *item_shape))
    count = max(0, len(content) - size) // math.prod(item_shape)
    if content[:size] != _header(count, *item_shape) or len(content) != size + count * math.prod(item_shape):
        raise ValueError(f"{path} is damaged, or no such IDX file: delete it and run `make data`, which fetches it again")
    return np.frombuffer(content, np.uint8, offset=size).reshape(count, *item_shape)


def _header(*shape: int) -> bytes:
    return struct.pack(f">{1 + len(shape)}I", UNSIGNED_BYTES + len(shape), *shape)
