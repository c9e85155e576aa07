"""The types of arrays, whose shapes and ranges docstrings give, and the size of an image."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Arrays = dict[str, Array]  # the content of an .npz file
Floats = NDArray[np.floating]  # float32 in a service, float64 where a test differentiates
Integers = NDArray[np.integer]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool]
Shape = tuple[int, ...]

IMAGE_SIDE = 28  # pixels
