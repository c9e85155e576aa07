"""Name the types of arrays. Docstrings give their shapes and ranges."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]  # of any type
Floats = NDArray[np.floating]  # float32 in a service, float64 where a test differentiates
Integers = NDArray[np.integer]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool]
Shape = tuple[int, ...]
