"""A map: images as points in a plane, near each other where the network sees them alike.

What the last layer reads its logits from, hundreds of features, is a place in as many dimensions. The plane through those places
along which they spread most shows most of them that a plane can (Pearson, "On lines and planes of closest fit", 1901: principal
component analysis).
"""

from typing import NamedTuple

import numpy as np


class Plane(NamedTuple):
    """Where features are in the plane: (features - origin) @ axes."""

    origin: np.ndarray  # (width,)
    axes: np.ndarray  # (width, 2)

    def place(self, features: np.ndarray) -> np.ndarray:
        """(n, width) -> (n, 2)."""
        return (features - self.origin) @ self.axes


def principal_plane(features: np.ndarray) -> Plane:
    """The plane along which features (n, width) spread most, n and width at least 2; their mean is its origin.

    It is scaled so that the root mean square of their distances from there is 1; where all are the same they stay there.
    """
    origin = features.mean(axis=0)
    _, _, directions = np.linalg.svd(features - origin, full_matrices=False)
    axes = directions[:2].T
    spread = np.sqrt(np.mean(np.sum(((features - origin) @ axes) ** 2, axis=1)))
    return Plane(origin, axes / spread if spread > 0.0 else axes)


def aligned_planes(features: list[np.ndarray]) -> list[Plane]:
    """A principal plane for each of several networks, by the features (n, width) that it has of the same n images.

    Which way up such a plane lies is chance, and would be another one each time. So all but the last are turned and mirrored,
    until the points are as near as they can be to those of the next one (orthogonal Procrustes, Schönemann, 1966).
    """
    planes, target = [], None
    for each in reversed(features):
        plane = principal_plane(each)
        if target is not None:
            left, _, right = np.linalg.svd(plane.place(each).T @ target)
            plane = plane._replace(axes=plane.axes @ (left @ right))
        planes.append(plane)
        target = plane.place(each)
    return planes[::-1]
