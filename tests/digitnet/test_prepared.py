"""Prepared: the same logits as the layers' own forward pass gives, for any network, batch and number of pictures."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import yaml
from digitnet.network import Network
from digitnet.parallel import ParallelPrepared
from digitnet.prepared import Prepared

PARAMS = Path(__file__).parents[2] / "params.yaml"
TEN = {"dense": {"units": 10}}
NETWORKS = {
    "dense alone": ["flatten", TEN],
    "a perceptron": ["flatten", {"dense": {"units": 50}}, "relu", TEN],
    "convolution, pooling, relu": [{"conv2d": {"filters": 16, "kernel_size": 5}}, "maxpool2d", "relu", "flatten", TEN],
    "convolution, relu, pooling": [{"conv2d": {"filters": 3, "kernel_size": 3}}, "relu", "maxpool2d", "flatten", TEN],
    "one convolution after another": [
        {"conv2d": {"filters": 4, "kernel_size": 3}},
        {"conv2d": {"filters": 5, "kernel_size": 4}},
        "flatten",
        TEN,
    ],
    "many filters": [{"conv2d": {"filters": 80, "kernel_size": 3}}, {"maxpool2d": {"size": 4}}, "relu", "flatten", TEN],
    "padding": [
        {"conv2d": {"filters": 4, "kernel_size": 3, "padding": 1}},
        "relu",
        {"conv2d": {"filters": 4, "kernel_size": 5, "padding": 2}},
        "maxpool2d",
        "flatten",
        TEN,
    ],
    "squares that do not cover all": [
        {"conv2d": {"filters": 2, "kernel_size": 2}},
        {"maxpool2d": {"size": 5}},
        "relu",
        {"conv2d": {"filters": 2, "kernel_size": 2}},
        {"maxpool2d": {"size": 3}},
        "flatten",
        TEN,
    ],
    "squares of one": [{"maxpool2d": {"size": 1}}, "flatten", TEN],
    "a filter as large as the picture": [{"conv2d": {"filters": 10, "kernel_size": 28}}, "flatten"],
    "relu and dropout first": ["relu", {"dropout": {"rate": 0.5}}, "flatten", {"dropout": {"rate": 0.3}}, TEN],
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS)
def network(request):
    network = Network(request.param)
    network.initialize(np.random.default_rng(1))
    network.parameters += np.random.default_rng(2).normal(0.0, 0.1, network.parameters.shape).astype(np.float32)  # biases too
    return network


@pytest.fixture
def pictures():
    return np.random.default_rng(3).random((7, 28, 28), np.float32)


@pytest.mark.parametrize("batch", [1, 2, 7, 64])
def test_it_gives_the_logits_that_the_network_gives(network, pictures, batch):
    prepared = Prepared(network, batch)
    for _ in range(2):  # its memory is used again
        np.testing.assert_allclose(prepared.predict_logits(pictures), network.predict_logits(pictures), rtol=1e-4, atol=1e-4)


def test_the_networks_of_params_yaml_agree_too(pictures):
    for layers in yaml.safe_load(PARAMS.read_text(encoding="utf-8"))["networks"].values():
        network = Network(layers)
        network.initialize(np.random.default_rng(1))
        for batch in (1, 4):
            found = Prepared(network, batch).predict_logits(pictures)
            np.testing.assert_allclose(found, network.predict_logits(pictures), rtol=1e-4, atol=1e-4)


def test_in_double_precision_they_agree_to_the_last_bits(pictures):
    network = Network(NETWORKS["one convolution after another"], np.float64)
    network.initialize(np.random.default_rng(1))
    found = Prepared(network, 3).predict_logits(pictures)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, network.predict_logits(pictures.astype(np.float64)), rtol=1e-12, atol=1e-12)


def test_no_pictures_have_no_logits(network):
    assert Prepared(network).predict_logits(np.empty((0, 28, 28), np.float32)).shape == (0, network.classes)


def test_it_is_of_the_network_as_it_was(network, pictures):
    prepared = Prepared(network)
    before = prepared.predict_logits(pictures)
    network.parameters[:] = 0.0
    np.testing.assert_array_equal(prepared.predict_logits(pictures), before)


def test_what_it_gave_stays_when_it_is_asked_again(network, pictures):
    prepared = Prepared(network)
    first = prepared.predict_logits(pictures[:1])
    kept = first.copy()
    prepared.predict_logits(pictures[1:2])
    np.testing.assert_array_equal(first, kept)


def test_threads_that_ask_at_once_get_their_own(network):
    pictures = np.random.default_rng(4).random((40, 1, 28, 28), np.float32)
    prepared = Prepared(network)
    alone = [prepared.predict_logits(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            for mine, expected in zip(threads.map(prepared.predict_logits, pictures), alone):
                np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 27), (1, 1, 28, 28)])
def test_what_is_no_batch_of_pictures_is_refused(shape):
    with pytest.raises(ValueError, match=r"pictures must be \(batch, 28, 28\)"):
        Prepared(Network(["flatten", TEN])).predict_logits(np.zeros(shape, np.float32))


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(ValueError, match="batch must be at least 1, not 0"):
        Prepared(Network(["flatten", TEN]), 0)


@pytest.mark.parametrize("count", [0, 1, 7, 50])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_several_threads_give_the_same(network, count, threads):
    pictures = np.random.default_rng(5).random((count, 28, 28), np.float32)
    with ParallelPrepared(network, threads, batch=4) as parallel:
        for _ in range(2):
            found = parallel.predict_logits(pictures)
            np.testing.assert_allclose(found, network.predict_logits(pictures), rtol=1e-4, atol=1e-4)


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        ParallelPrepared(Network(["flatten", TEN]), 0)
