"""MNIST's file format, IDX: a few big-endian integers, then the bytes.

    images    magic 0x00000803, count, rows, columns, then one byte a pixel: 0 background, 255 full ink
    labels    magic 0x00000801, count, then one byte a label, 0 to 9

In the magic number 08 stands for "unsigned byte" and the last digit for how many axes follow.
Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import struct
from pathlib import Path

import numpy as np

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

IMAGES_MAGIC = 0x00000803
LABELS_MAGIC = 0x00000801
GZIP_MAGIC = b"\x1f\x8b"
IMAGE_SHAPE = (28, 28)  # rows, columns
DIGITS = 10


class IDXError(ValueError):
    """The file, or the array, is not what MNIST's IDX format says it should be."""


def read_images(path: Path | str) -> np.ndarray:
    """An IDX image file -> uint8 (n, 28, 28) in 0..255, read-only (copy it to change it)."""
    (count, *shape), pixels = _read(path, IMAGES_MAGIC, axes=3)
    if tuple(shape) != IMAGE_SHAPE:
        raise _bad(path, f"its images are {shape[0]} x {shape[1]}, not 28 x 28")
    return pixels.reshape(count, *IMAGE_SHAPE)


def read_labels(path: Path | str) -> np.ndarray:
    """An IDX label file -> uint8 (n,) in 0..9, read-only (copy it to change it)."""
    _, labels = _read(path, LABELS_MAGIC, axes=1)
    if labels.size and labels.max() >= DIGITS:
        position = int(np.argmax(labels >= DIGITS))
        raise _bad(path, f"label number {position} is {labels[position]}, not a digit from 0 to 9")
    return labels


def images_to_bytes(images: np.ndarray) -> bytes:
    """uint8 (n, 28, 28) -> the content of an IDX image file."""
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != IMAGE_SHAPE:
        raise IDXError(f"images must be uint8 (n, 28, 28), not {images.dtype} {images.shape}")
    return struct.pack(">4I", IMAGES_MAGIC, *images.shape) + images.tobytes()


def labels_to_bytes(labels: np.ndarray) -> bytes:
    """uint8 (n,) in 0..9 -> the content of an IDX label file."""
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise IDXError(f"labels must be uint8 (n,), not {labels.dtype} {labels.shape}")
    if labels.size and labels.max() >= DIGITS:
        raise IDXError(f"labels must be digits from 0 to 9, not {labels.max()}")
    return struct.pack(">2I", LABELS_MAGIC, labels.size) + labels.tobytes()


def _read(path: Path | str, magic: int, axes: int) -> tuple[tuple[int, ...], np.ndarray]:
    """The sizes of the axes, and all the bytes after them as one row, uint8 (product of the sizes,)."""
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise IDXError(f"{path} is not there. Run `make data`, which fetches it.") from None
    except OSError as error:
        raise IDXError(f"{path} cannot be read ({error.strerror}). See to that, then run `make data`.") from error

    header = struct.Struct(f">{1 + axes}I")
    if content.startswith(GZIP_MAGIC):
        raise _bad(path, "it is still compressed by gzip")
    if len(content) < header.size:
        raise _bad(path, f"it ends within its header, after {len(content)} bytes")
    found, *sizes = header.unpack_from(content)
    if found != magic:
        raise _bad(path, f"it starts with the magic number 0x{found:08x}, not 0x{magic:08x}")

    promised = 1
    for size in sizes:
        promised *= size  # Python's own integers: three 32-bit sizes would overflow NumPy's
    present = len(content) - header.size
    if present < promised:
        raise _bad(path, f"it is truncated: its header promises {promised} bytes and {present} follow")
    if present > promised:
        raise _bad(path, f"{present - promised} bytes follow its end")
    return tuple(sizes), np.frombuffer(content, np.uint8, offset=header.size)


def _bad(path: Path | str, problem: str) -> IDXError:
    return IDXError(f"{path} is no good MNIST file: {problem}. Delete it and run `make data`, which fetches it anew.")
