"""Explanations match the network's activations, finite differences and occlusion."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from digitnet.inspect.explanations import activations, logit_gradients, occlusion


def test_activations_have_each_layer_s_shape_and_end_in_logits(network, image):
    outputs = activations(network, image)
    assert [output.shape for output in outputs] == network.shapes[1:]
    np.testing.assert_allclose(outputs[-1], network.predict_logits(image[None])[0], rtol=1e-12)
    for layer, inputs, output in zip(network.layers[1:], outputs, outputs[1:]):
        np.testing.assert_array_equal(layer.predict(inputs[..., None])[..., 0], output)


def test_gradients_match_finite_differences(network, image):
    gradients = logit_gradients(network, image)
    assert gradients.shape == (network.classes, 28, 28)
    step = 1e-6
    for y, x in [(0, 0), (3, 20), (14, 14), (14, 15), (27, 27), (9, 6)]:
        nudge = np.zeros((28, 28))
        nudge[y, x] = step
        above, below = network.predict_logits(np.stack([image + nudge, image - nudge]))
        np.testing.assert_allclose(gradients[:, y, x], (above - below) / (2 * step), rtol=1e-5, atol=1e-7)


def test_is_thread_safe_and_keeps_the_network_unchanged(network, image):
    images = np.random.default_rng(3).random((8, 28, 28))
    alone = [logit_gradients(network, each) for each in images]
    network.gradients[:] = 7.0
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda each: logit_gradients(network, each), images))
    np.testing.assert_array_equal(alone, together)
    assert (network.gradients == 7.0).all()


@pytest.mark.parametrize("size", [1, 3, 4])
def test_occlusion_removes_the_ink(network, image, size):
    occluded = occlusion(network, image, size)
    for y, x in [(0, 0), (14, 13), (27, 27)]:
        without = image.copy()
        top, left = y - size // 2, x - size // 2
        without[max(0, top) : top + size, max(0, left) : left + size] = 0.0
        expected = network.predict_logits(image[None])[0] - network.predict_logits(without[None])[0]
        np.testing.assert_allclose(occluded[:, y, x], expected, rtol=1e-9, atol=1e-12)
