"""Finite differences, the oracle for every backward pass, and a network to inspect."""

import numpy as np
import pytest
from digitnet.network import Network


@pytest.fixture
def generator():
    return np.random.default_rng(20260301)


@pytest.fixture(scope="session")
def numerical_gradient():
    """numerical_gradient(function, at): d function() / d at by central differences; function() reads the float64 array `at`."""

    def numerical_gradient(function, at, step=1e-6):
        gradient = np.empty_like(at)
        for index in np.ndindex(at.shape):
            kept, values = at[index], []
            for nudge in (step, -step):
                at[index] = kept + nudge
                values.append(function())
            at[index] = kept
            gradient[index] = (values[0] - values[1]) / (2.0 * step)
        return gradient

    return numerical_gradient


@pytest.fixture
def network():
    """Return a float64 network with each kind of layer and fixed random weights."""
    layers = [
        {"conv2d": {"filters": 2, "kernel_size": 5}}, {"maxpool2d": {"size": 2}}, "relu",
        {"conv2d": {"filters": 3, "kernel_size": 3, "padding": 1}}, "relu", {"maxpool2d": {"size": 3}},
        {"dropout": {"rate": 0.5}}, "flatten", {"dense": {"units": 6}}, "relu", {"dense": {"units": 11}},
    ]  # fmt: skip
    network = Network(layers, np.float64)
    network.initialize(np.random.default_rng(1))
    return network


@pytest.fixture
def image():
    return np.random.default_rng(2).random((28, 28))
