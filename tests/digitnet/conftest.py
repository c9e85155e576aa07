"""Finite differences, the independent oracle that every backward pass is held against; and something to look into."""

import numpy as np
import pytest
from digitnet.network import Network


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


@pytest.fixture(scope="session")
def initialized():
    """initialized(specification): such a network in float64, its weights drawn, the same each time."""

    def initialized(specification):
        network = Network(specification, np.float64)
        network.initialize(np.random.default_rng(1))
        return network

    return initialized


@pytest.fixture
def picture():
    return np.random.default_rng(2).random((28, 28))
