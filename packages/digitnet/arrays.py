"""Types of arrays, and the size of an image. Docstrings give the shapes and ranges."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]  # the content of an .npz file
Floats = NDArray[np.floating]  # float32; float64 in tests that check gradients numerically
Integers = NDArray[np.integer]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool]
Shape = tuple[int, ...]

IMAGE_SIDE = 28  # pixels
