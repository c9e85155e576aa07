"""Principal component analysis: images as points in a plane, near each other if they are alike to the network.

The inputs of the last layer are a point in hundreds of dimensions. The plane along which such points spread most shows most of
them that a plane can (Pearson, "On lines and planes of closest fit", 1901).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Floats


class Plane(NamedTuple):
    origin: Floats  # (width,)
    axes: Floats  # (width, 2)

    def place(self, features: Floats) -> Floats:
        """Project features (n, width) onto the plane, (n, 2)."""
        return np.asarray((features - self.origin) @ self.axes)


def principal_plane(features: Floats) -> Plane:
    """Return the plane along which features (n, width) spread most, n and width at least 2; their mean is its origin.

    Its scale makes the root mean square of their distances from the origin 1, unless all are the same.
    """
    origin = features.mean(axis=0)
    _, _, directions = np.linalg.svd(features - origin, full_matrices=False)
    axes = directions[:2].T
    spread = np.sqrt(np.mean(np.sum(((features - origin) @ axes) ** 2, axis=1)))
    return Plane(origin, axes / spread if spread > 0.0 else axes)


def aligned_planes(features: Sequence[Floats]) -> list[Plane]:
    """Return a principal plane for each of several networks, from their features (n, width) of the same n images.

    The orientation of such a plane is arbitrary. So all but the last are turned and mirrored, until the points are as near as
    they can be to those of the next one (orthogonal Procrustes, Schönemann, 1966).
    """
    planes: list[Plane] = []
    target: Floats | None = None
    for each in reversed(features):
        plane = principal_plane(each)
        if target is not None:
            left, _, right = np.linalg.svd(plane.place(each).T @ target)
            plane = plane._replace(axes=plane.axes @ (left @ right))
        planes.append(plane)
        target = plane.place(each)
    return planes[::-1]
