"""Principal component analysis (PCA): a map of images, with images close together if the network sees them as similar.

The input of the last layer is a point in hundreds of dimensions. Of all planes, the one of the two principal components preserves
most of the points' variance (Pearson, "On lines and planes of closest fit", 1901).
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
    """Return the plane of the first two principal components of features (n, width), n and width at least 2.

    The origin is their mean. The scale makes their root mean square distance from the origin 1, unless all are equal.
    """
    origin = features.mean(axis=0)
    _, _, directions = np.linalg.svd(features - origin, full_matrices=False)
    axes = directions[:2].T
    spread = np.sqrt(np.mean(np.sum(((features - origin) @ axes) ** 2, axis=1)))
    return Plane(origin, axes / spread if spread > 0.0 else axes)


def aligned_planes(features: Sequence[Floats]) -> list[Plane]:
    """Return a principal plane for each of several networks, from their features (n, width) of the same n images.

    The orientation of a plane is arbitrary. So each plane is rotated and mirrored to bring its points as close as possible to
    those of the next plane (orthogonal Procrustes, Schönemann, 1966).
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
