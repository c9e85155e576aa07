"""PCA: the plane along which features spread most, and the planes of several snapshots with one orientation."""

import numpy as np
import pytest
from digitnet.inspect.pca import aligned_planes, principal_plane


@pytest.fixture
def features(generator):
    """In eight dimensions, spread three and two in two of them, hardly at all in the others, and all of it turned somehow."""
    turn, _ = np.linalg.qr(generator.normal(size=(8, 8)))
    return (generator.normal(size=(200, 8)) * [0.1, 3, 0.1, 0.1, 2, 0.1, 0.1, 0.1]) @ turn + 5.0


def test_it_keeps_what_spreads_most(features):
    """No other plane through the same middle leaves less aside: of 200 drawn by chance, none."""
    centered, generator = features - features.mean(axis=0), np.random.default_rng(1)
    axes = principal_plane(features).axes
    axes = axes / np.linalg.norm(axes, axis=0)
    best = np.sum((centered @ axes) ** 2)
    others = (np.linalg.qr(generator.normal(size=(8, 2)))[0] for _ in range(200))
    assert all(np.sum((centered @ other) ** 2) < best for other in others)


def test_its_middle_is_zero_and_its_size_one(features):
    points = principal_plane(features).place(features)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-9)
    assert np.mean(np.sum(points**2, axis=1)) == pytest.approx(1.0)
    same = np.full((5, 4), 2.0)  # what is all alike stays in the middle
    np.testing.assert_allclose(principal_plane(same).place(same), 0.0, atol=1e-9)


def test_the_last_one_gives_the_direction(features, generator):
    """The same points, seen each time from elsewhere and a little differently: their maps are nearly the same."""
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
    assert any(np.abs(each - alone[-1]).max() > 1.0 for each in alone)  # that is not so by itself
