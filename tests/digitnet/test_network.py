from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from digitnet.losses import softmax
from digitnet.network import Network
from digitnet.parallel import DataParallel
from digitnet.training import loss_and_gradients

LINEAR = ["flatten", {"dense": {"units": 10}}]


def with_dropout(seed=0):
    network = Network(["flatten", {"dense": {"units": 50}}, "relu", {"dropout": {"rate": 0.5}}, *LINEAR[1:]], np.float64)
    network.initialize(np.random.default_rng(seed))
    return network


@pytest.fixture
def batch(generator):
    return generator.random((6, 28, 28)), np.array([3, 1, 4, 1, 5, 9])


def test_network_gradients_match_finite_differences(network, batch, numerical_gradient):
    loss_and_gradients(network, *batch)
    gradients = network.gradients.copy()
    assert network.backward(network.forward(batch[0])) is None
    expected = numerical_gradient(lambda: loss_and_gradients(network, *batch)[0], network.parameters[::11])
    np.testing.assert_allclose(gradients[::11], expected, rtol=1e-4, atol=1e-8)


def test_a_seed_fixes_the_weights():
    first, again, other = (with_dropout(seed).parameters for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_predict_does_not_depend_on_the_batch_size(network, generator):
    images = generator.random((20, 28, 28))
    whole = network.predict(images)
    assert whole.shape == (20, 11)
    np.testing.assert_allclose(whole.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(network.predict(images, batch_size=7), whole, rtol=1e-4, atol=1e-6)
    assert network.predict(images[:0]).shape == (0, 11)


def test_features_are_the_last_layer_s_input(network, generator):
    images = generator.random((20, 28, 28))
    features = network.predict_features(images, batch_size=7)
    assert features.shape == (20, 6)
    np.testing.assert_allclose(network.logits_of(features), network.predict_logits(images), rtol=1e-4, atol=1e-6)
    maps_last = Network([{"conv2d": {"filters": 10, "kernel_size": 28}}, "flatten"])
    assert maps_last.predict_features(images).shape == (20, 10)


def test_predict_is_thread_safe_while_another_thread_trains(network, generator):
    images = [generator.random((1, 28, 28)) for _ in range(8)]
    expected = [network.predict(image) for image in images]
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(network.predict, images * 20)
        for image in images:
            network.forward(image)
        np.testing.assert_array_equal(list(found), expected * 20)


@pytest.mark.parametrize("shards", [1, 4, 9])
def test_shards_give_the_gradients_of_the_whole_batch(network, shards, batch):
    other = Network(network.specification, np.float64, network.parameters.copy())
    loss, correct = loss_and_gradients(network, *batch)
    with DataParallel(other, shards) as parallel:
        assert parallel.loss_and_gradients(*batch) == (pytest.approx(loss), correct)
        np.testing.assert_allclose(other.gradients, network.gradients, rtol=1e-9, atol=1e-12)
        other.parameters[:] = 0.0  # every replica sees the optimizer's changes
        assert parallel.loss_and_gradients(*batch)[0] == pytest.approx(np.log(11.0))


def test_dropout_needs_a_generator(batch):
    network = with_dropout()
    first, again, other = (loss_and_gradients(network, *batch, np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    assert first == again != other
    loss_and_gradients(network, *batch)
    expected = softmax(network.forward(batch[0])).T  # without dropout
    np.testing.assert_allclose(network.predict(batch[0]), expected, rtol=1e-5)


def test_each_shard_has_its_own_dropout(batch):
    network = with_dropout()
    images, labels = (np.concatenate([part[:1]] * 2) for part in batch)
    alone = [loss_and_gradients(network, images[:1], labels[:1], child)[0] for child in np.random.default_rng(5).spawn(2)]
    assert alone[0] != alone[1]
    with DataParallel(network, 2) as parallel:
        assert parallel.loss_and_gradients(images, labels, np.random.default_rng(5))[0] == pytest.approx(np.mean(alone))


@pytest.mark.parametrize(
    ("specification", "complaint"),
    [
        (["flatten", {"dense": {"units": 9}}], r"must end in 10 units.*ends in \(9,\)"),
        (["flatten", "tanh", {"dense": {"units": 10}}], r"layer 2 \(tanh\): unknown layer; use one of dense"),
        (["flatten", {"dense": {"unit": 10}}], "does not take these options"),
        (["flatten", {"dense": 10}], "must be names and values"),
        (["flatten", {"dense": {"units": 10}, "relu": {}}], "unknown layer"),
        ([None], "unknown layer"),
    ],
)
def test_rejects_an_invalid_specification_with_its_reason(specification, complaint):
    with pytest.raises(ValueError, match=complaint):
        Network(specification)


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 27), (1, 1, 28, 28)])
def test_rejects_images_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"must be \(batch, 28, 28\)"):
        Network(LINEAR).predict(np.zeros(shape))


def test_limits_numbers_and_layers():
    def large(units):
        first = [{"conv2d": {"filters": 1332, "kernel_size": 1}}, {"maxpool2d": {"size": 28}}]
        return Network([*first, "flatten", {"dense": {"units": units}}, {"dense": {"units": 10}}])

    def deep(layers):
        return Network([*LINEAR, *["relu"] * (layers - 2)])

    assert large(46).parameters.size == 1332 * 2 + 1333 * 46 + 47 * 10
    with pytest.raises(ValueError, match="more than 1,048,576 numbers for one image: use fewer filters"):
        large(47)
    with pytest.raises(ValueError, match="more than 1,048,576 numbers"):  # in its columns
        Network([{"conv2d": {"filters": 1, "kernel_size": 20, "padding": 32}}, {"maxpool2d": {"size": 20}}, *LINEAR])
    assert len(deep(100).layers) == 100
    with pytest.raises(ValueError, match="at most 100 layers, but this one has 101"):
        deep(101)


def test_rejects_parameters_of_another_network():
    for wrong in (np.zeros(5, np.float32), np.zeros(7850)):  # another count, another dtype
        with pytest.raises(ValueError, match="this network has 7850 parameters"):
            Network(LINEAR, parameters=wrong)
