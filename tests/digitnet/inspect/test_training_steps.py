"""Training steps on one image do gradient descent on a copy and leave the network unchanged."""

import numpy as np
import pytest
from digitnet.inspect.explanations import activations
from digitnet.inspect.training_steps import TrainingStep, train_on_image
from digitnet.losses import softmax_cross_entropy
from digitnet.network import Network
from digitnet.training import loss_and_gradients


def test_each_step_is_gradient_descent(network, image):
    by_hand = Network(network.specification, np.float64, network.parameters.copy())
    losses, steps = [], [TrainingStep(4, 0.02), TrainingStep(7, 0.01), TrainingStep(10, 0.005)]
    for label, rate in steps:
        losses.append(loss_and_gradients(by_hand, image[None], np.array([label]))[0])
        by_hand.parameters -= rate * by_hand.gradients
    before, network.gradients[:] = network.parameters.copy(), 7.0
    result = train_on_image(network, image, steps)
    assert not result.diverged
    np.testing.assert_allclose(result.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(result.logits, by_hand.predict_logits(image[None])[0], rtol=1e-12)
    np.testing.assert_array_equal(network.parameters, before)
    assert (network.gradients == 7.0).all()


def test_layer_gradients_match_finite_differences(network, image):
    (layers, outputs) = train_on_image(network, image, [TrainingStep(4, 0.01)]).layers, activations(network, image)
    generator = np.random.default_rng(3)
    for number, (step, output) in enumerate(zip(layers, outputs, strict=True)):
        assert step.gradient.shape == output.shape
        direction, nudge = generator.normal(size=output.shape), 1e-6

        def loss(moved, number=number):
            current = moved[..., None]
            for layer in network.layers[number + 1 :]:
                current = layer.predict(current)
            return softmax_cross_entropy(current, np.array([4]))[0]

        slope = (loss(output + nudge * direction) - loss(output - nudge * direction)) / (2 * nudge)
        assert np.sum(step.gradient * direction) == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_reports_norms_of_parameters_gradient_and_step(network, image):
    copy = Network(network.specification, np.float64, network.parameters.copy())
    loss_and_gradients(copy, image[None], np.array([4]))
    layers = train_on_image(network, image, [TrainingStep(4, 0.25)]).layers
    of_gradients = np.nan_to_num(copy.layer_norms(copy.gradients))
    np.testing.assert_allclose([step.parameters_norm for step in layers], np.nan_to_num(copy.layer_norms(copy.parameters)))
    np.testing.assert_allclose([step.gradient_norm for step in layers], of_gradients)
    np.testing.assert_allclose([step.update_norm for step in layers], 0.25 * of_gradients)


def test_reports_divergence(network, image):
    result = train_on_image(network, image, [TrainingStep(4, 1e200), TrainingStep(7, 1e200)] * 15)
    assert result.diverged
    assert result.logits is None
    assert np.isfinite(result.losses).all()
    assert 1 <= len(result.losses) < 30


def test_no_steps_change_nothing(network, image):
    result = train_on_image(network, image, [])
    np.testing.assert_array_equal(result.logits, network.predict_logits(image[None])[0])
    assert (result.losses, result.layers, result.diverged) == ([], [], False)
