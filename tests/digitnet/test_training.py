"""The training loop takes correct steps, calls its callbacks, and resumes to the same weights."""

import numpy as np
import pytest
from digitnet.network import Network
from digitnet.optimizers import SGD, Adam
from digitnet.parallel import DataParallel
from digitnet.schedules import cosine
from digitnet.training import Callback, loss_and_gradients, train
from digitnet.weight_averaging import AveragingCallback

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dropout": {"rate": 0.3}}, {"dense": {"units": 10}}]
EPOCHS, BATCHES, RATE = 3, 4, 0.05


def new_network():
    network = Network(LAYERS)
    network.initialize(np.random.default_rng(1))
    return network


@pytest.fixture
def batches(generator):
    images, labels = generator.random((BATCHES, 8, 28, 28), np.float32), generator.integers(0, 10, (BATCHES, 8))
    return list(zip(images, labels))


def test_each_step_is_forward_loss_backward_update(batches):
    network, by_hand = new_network(), new_network()
    train(network, SGD(network.parameters.size), batches, EPOCHS, RATE, cosine)
    optimizer = SGD(by_hand.parameters.size)
    for step in range(EPOCHS * BATCHES):
        loss_and_gradients(by_hand, *batches[step % BATCHES])
        optimizer.update(by_hand.parameters, by_hand.gradients, cosine(step, EPOCHS * BATCHES, RATE))
    np.testing.assert_array_equal(network.parameters, by_hand.parameters)


class RecordingCallback(Callback):
    """Record each call and check when the weights change."""

    def __init__(self, network):
        self.network, self.weights, self.calls = network, network.parameters.copy(), []

    def before_update(self, progress):
        np.testing.assert_array_equal(self.network.parameters, self.weights)
        self.calls.append(("before", progress.step))

    def after_update(self, progress):
        assert np.any(self.network.parameters != self.weights)
        self.weights = self.network.parameters.copy()
        self.calls.append(("after", progress.step))
        assert (progress.steps, progress.epochs, progress.examples) == (6, 2, 8)
        assert progress.loss > 0.0
        assert 0 <= progress.correct <= 8
        assert progress.learning_rate == RATE

    def after_epoch(self, progress):
        self.calls.append(("epoch", progress.step))


def test_calls_callbacks_around_each_update_and_after_each_epoch(batches):
    network = new_network()
    recorder = RecordingCallback(network)
    train(network, SGD(network.parameters.size), batches[:3], 2, RATE, callbacks=[recorder])
    steps = [[("before", step), ("after", step + 1)] for step in range(6)]
    steps[2].append(("epoch", 3))
    steps[5].append(("epoch", 6))
    assert recorder.calls == [call for calls in steps for call in calls]


class Stop(Callback):
    def __init__(self, step):
        self.step = step

    def before_update(self, progress):
        if progress.step == self.step:
            raise InterruptedError


class Seeded:
    """Batches from any step on, with a dropout generator seeded by the step."""

    def __init__(self, batches, step):
        self.batches, self.step = batches, step

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        for index in range(self.step % len(self), len(self)):
            yield *self.batches[index], np.random.default_rng([7, self.step])
            self.step += 1


@pytest.mark.parametrize("stop", [0, 3, BATCHES, 2 * BATCHES + 1])
def test_a_stopped_training_resumes_to_the_same_weights(batches, stop):
    whole, stopped = new_network(), new_network()
    with DataParallel(whole, 2) as parallel:
        optimizer = Adam(whole.parameters.size)
        train(whole, optimizer, Seeded(batches, 0), EPOCHS, RATE, cosine, gradients=parallel.loss_and_gradients)
    optimizer = Adam(stopped.parameters.size)
    with DataParallel(stopped, 2) as parallel:
        rest = {"schedule": cosine, "gradients": parallel.loss_and_gradients}
        with pytest.raises(InterruptedError):
            train(stopped, optimizer, Seeded(batches, 0), EPOCHS, RATE, callbacks=[Stop(stop)], **rest)
        train(stopped, optimizer, Seeded(batches, stop), EPOCHS, RATE, first_step=stop, **rest)
    np.testing.assert_array_equal(stopped.parameters, whole.parameters)


def test_averages_weights_during_training(batches):
    network = new_network()
    averaging, recorder = AveragingCallback(network, 1000), []

    class Weights(Callback):
        def after_update(self, progress):
            recorder.append(network.parameters.copy())

    train(network, SGD(network.parameters.size), batches, 1, RATE, callbacks=[averaging, Weights()])
    np.testing.assert_allclose(averaging.averaged.parameters, np.mean(recorder, axis=0), atol=1e-6)
    assert averaging.averaged.predict(batches[0][0]).shape == (8, 10)
