"""Finite differences: the independent oracle that every backward pass is held against."""

import numpy as np
import pytest


def numerical_gradient(function, at, step=1e-6):
    """d function() / d at, one element at a time, where function() reads the float64 array `at`. Central differences."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        kept = at[index]
        at[index] = kept + step
        above = function()
        at[index] = kept - step
        below = function()
        at[index] = kept
        gradient[index] = (above - below) / (2.0 * step)
    return gradient


@pytest.fixture
def generator():
    return np.random.default_rng(20260301)


@pytest.fixture(name="numerical_gradient")
def numerical_gradient_fixture():
    return numerical_gradient
