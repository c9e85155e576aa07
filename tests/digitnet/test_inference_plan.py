"""The inference plan gives the logits of the layers' forward pass for any network and batch size."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from digitnet import convolution
from digitnet.inference_plan import InferencePlan
from digitnet.network import Network

TEN = {"dense": {"units": 10}}


def conv(filters, kernel_size, padding=0):
    return {"conv2d": {"filters": filters, "kernel_size": kernel_size, "padding": padding}}


def pool(size):
    return {"maxpool2d": {"size": size}}


NETWORKS = {
    "dense alone": ["flatten", TEN],
    "convolution, pooling, relu": [conv(6, 5), pool(2), "relu", "flatten", {"dense": {"units": 9}}, "relu", TEN],
    "convolution, relu, pooling": [conv(3, 3), "relu", pool(2), "flatten", TEN],
    "one convolution after another": [conv(4, 3), conv(5, 4), "flatten", TEN],
    "padding": [conv(4, 3, padding=1), "relu", conv(4, 5, padding=2), pool(2), "flatten", TEN],
    "squares that leave rows and columns over": [conv(2, 2), pool(5), "relu", conv(2, 2), pool(3), "flatten", TEN],
    "squares of one": [pool(1), "flatten", TEN],
    "a filter as large as the image": [conv(10, 28), "flatten"],
    "relu and dropout first": ["relu", {"dropout": {"rate": 0.5}}, "flatten", {"dropout": {"rate": 0.3}}, TEN],
}


def made(name, dtype=np.float32):
    network = Network(NETWORKS[name], dtype)
    network.initialize(np.random.default_rng(1))
    network.parameters += np.random.default_rng(2).normal(0.0, 0.1, network.parameters.shape).astype(dtype)  # with biases
    return network


@pytest.fixture
def images(generator):
    return generator.random((7, 28, 28), np.float32)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_gives_the_network_s_logits_at_creation(name, batch, images):
    network = made(name)
    expected, plan = network.predict_logits(images), InferencePlan(network, batch)
    network.parameters[:] = 0.0
    first = plan.predict_logits(images)
    second = plan.predict_logits(images[::-1])  # reuses the memory
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(second, expected[::-1], rtol=1e-4, atol=1e-4)
    assert plan.predict_logits(images[:0]).shape == (0, network.classes)


@pytest.mark.parametrize("block_bytes", [1, 20_000])
def test_blocks_of_a_convolution_change_nothing(block_bytes, images, monkeypatch):
    monkeypatch.setattr(convolution, "COLUMNS_BLOCK_BYTES", block_bytes)
    network = made("padding")
    np.testing.assert_allclose(
        InferencePlan(network, 4).predict_logits(images), network.predict_logits(images), rtol=1e-4, atol=1e-4
    )


def test_is_thread_safe(images):
    plan = InferencePlan(made("convolution, pooling, relu"))
    alone = [plan.predict_logits(image[None]) for image in images]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(plan.predict_logits, [image[None] for image in images] * 10))
    np.testing.assert_array_equal(together, alone * 10)


def test_rejects_other_shapes():
    network = made("dense alone")
    for shape in [(28, 28), (1, 28, 27), (1, 1, 28, 28)]:
        with pytest.raises(ValueError, match=r"images must be \(batch, 28, 28\)"):
            InferencePlan(network).predict_logits(np.zeros(shape, np.float32))
