"""MNIST's files, as the learning path reads them: IDX, a few big-endian integers and then the bytes, plain or compressed by gzip.

Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/.
"""

import gzip
from pathlib import Path

import numpy as np

from digitnet.arrays import Bytes, Floats, Integers


def read_mnist(folder: Path | str, split: str) -> tuple[Floats, Integers]:
    """Return the images, float32 (n, 28, 28) in [0, 1], and labels, int64 (n,), of the split "train" or "t10k" (the test).

    ValueError if a file is missing or is no IDX file of that kind.
    """
    pixels = _read(Path(folder) / f"{split}-images-idx3-ubyte", axes=3)
    labels = _read(Path(folder) / f"{split}-labels-idx1-ubyte", axes=1)
    return pixels.astype(np.float32) / np.float32(255.0), labels.astype(np.int64)


def _read(path: Path, axes: int) -> Bytes:
    compressed = path.with_name(f"{path.name}.gz")
    if not path.exists() and not compressed.exists():
        raise ValueError(f"{path} is missing: run `make data`, or put MNIST's four files (plain or .gz) into {path.parent}/")
    try:
        content = path.read_bytes() if path.exists() else gzip.decompress(compressed.read_bytes())
        magic, *shape = np.frombuffer(content, ">u4", 1 + axes).tolist()
        if magic != 0x0800 + axes:  # 08: unsigned bytes
            raise ValueError(f"it starts with {magic:#x}, not {0x0800 + axes:#x}")
        return np.frombuffer(content, np.uint8, offset=4 * (1 + axes)).reshape(shape)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} is not MNIST's ({error}): delete it and run `make data`") from error
