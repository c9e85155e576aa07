"""The names of MNIST's four files, and a writer of their format, IDX. digitnet.mnist reads it."""

import struct

from digitnet.arrays import Bytes
from digitnet.mnist import UNSIGNED_BYTES

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def idx_bytes(array: Bytes) -> bytes:
    """Return the content of an IDX file for images uint8 (n, 28, 28) or labels uint8 (n,)."""
    header = struct.pack(f">{1 + array.ndim}I", UNSIGNED_BYTES + array.ndim, *array.shape)
    return header + array.tobytes()
