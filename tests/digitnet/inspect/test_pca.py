"""PCA finds the plane of largest spread and aligns the planes of several snapshots."""

import numpy as np
import pytest
from digitnet.inspect.pca import aligned_planes, principal_plane


@pytest.fixture
def features(generator):
    """Return points (200, 8) that spread in two dimensions, randomly rotated."""
    turn, _ = np.linalg.qr(generator.normal(size=(8, 8)))
    return (generator.normal(size=(200, 8)) * [0.1, 3, 0.1, 0.1, 2, 0.1, 0.1, 0.1]) @ turn + 5.0


def test_finds_the_plane_of_largest_spread(features):
    """Each of 200 random planes keeps less variance."""
    centered, generator = features - features.mean(axis=0), np.random.default_rng(1)
    axes = principal_plane(features).axes
    axes = axes / np.linalg.norm(axes, axis=0)
    best = np.sum((centered @ axes) ** 2)
    others = (np.linalg.qr(generator.normal(size=(8, 2)))[0] for _ in range(200))
    assert all(np.sum((centered @ other) ** 2) < best for other in others)


def test_points_have_mean_zero_and_unit_size(features):
    points = principal_plane(features).place(features)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-9)
    assert np.mean(np.sum(points**2, axis=1)) == pytest.approx(1.0)
    same = np.full((5, 4), 2.0)  # identical points stay at zero
    np.testing.assert_allclose(principal_plane(same).place(same), 0.0, atol=1e-9)


def test_aligns_planes_with_the_last_snapshot(features, generator):
    """The same points with another rotation and little noise give nearly the same map."""
    snapshots = []
    for _ in range(4):
        turn, _ = np.linalg.qr(generator.normal(size=(8, 8)))
        snapshots.append((features + generator.normal(0, 0.1, features.shape)) @ turn)
    planes = aligned_planes(snapshots)
    maps = [plane.place(each) for plane, each in zip(planes, snapshots)]
    np.testing.assert_array_equal(maps[-1], principal_plane(snapshots[-1]).place(snapshots[-1]))
    for each in maps:
        np.testing.assert_allclose(each, maps[-1], atol=0.25)
    alone = [principal_plane(each).place(each) for each in snapshots]
    assert any(np.abs(each - alone[-1]).max() > 1.0 for each in alone)  # without alignment they differ
