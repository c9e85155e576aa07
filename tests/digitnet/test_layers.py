"""Each layer's values match plain loops, and its gradients match finite differences."""

import numpy as np
import pytest
from digitnet import convolution
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.layers import Dense, Dropout, Flatten, ReLU

CASES = {
    "dense": (lambda: Dense(4), (5,)),
    "conv2d": (lambda: Conv2D(2, 2), (3, 5, 4)),
    "conv2d, padded": (lambda: Conv2D(2, 3, padding=1), (2, 4, 5)),
    "conv2d, as large as its input": (lambda: Conv2D(2, 4), (2, 4, 4)),
    "maxpool2d that leaves a row and a column over": (lambda: MaxPool2D(2), (2, 5, 7)),
    "maxpool2d of size 3": (lambda: MaxPool2D(3), (2, 7, 6)),
    "relu": (ReLU, (3, 4)),
    "flatten": (Flatten, (2, 3, 4)),
    "dropout without a generator": (lambda: Dropout(0.0), (5,)),
}
BATCH = 3


def built(make, input_shape, generator):
    """Build a layer with random float64 weights and biases."""
    layer = make()
    layer.build(input_shape)
    if layer.parameter_count:
        layer.bind(generator.normal(size=layer.parameter_count), np.full(layer.parameter_count, np.nan))
    return layer


@pytest.fixture(params=CASES)
def case(request, generator):
    make, input_shape = CASES[request.param]
    # Distinct values away from ReLU's bend; near it finite differences would mix two slopes.
    count = int(np.prod(input_shape)) * BATCH
    inputs = (generator.permutation(count) - count / 2 + 0.25).reshape(*input_shape, BATCH) / 7.0
    return built(make, input_shape, generator), inputs


def test_gradients_match_finite_differences(case, generator, numerical_gradient):
    layer, inputs = case
    weighting = generator.normal(size=layer.forward(inputs).shape)  # L = sum(weighting * outputs), so dL/doutputs = weighting
    gradients = [(inputs, layer.backward(weighting).copy())]
    if layer.parameter_count:
        assert layer.backward(weighting, needs_grad_inputs=False) is None
        gradients += [(layer.weights, layer.grad_weights), (layer.bias, layer.grad_bias)]
    for array, gradient in gradients:
        expected = numerical_gradient(lambda: float((layer.predict(inputs) * weighting).sum()), array)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)


def test_predict_equals_forward_and_keeps_the_state_for_backward(case, generator):
    layer, inputs = case
    outputs = layer.forward(inputs).copy()
    np.testing.assert_array_equal(layer.predict(inputs), outputs)
    weighting = generator.normal(size=outputs.shape)
    grad = layer.backward(weighting).copy()
    layer.forward(inputs)
    layer.predict(inputs[..., :1] * 2.0 + 1.0)  # between forward and backward
    np.testing.assert_array_equal(layer.backward(weighting), grad)


def test_accepts_batches_of_changing_size(case):
    layer, inputs = case
    whole = layer.forward(inputs).copy()
    assert whole.shape == (*layer.build(inputs.shape[:-1]), BATCH)
    for example in range(BATCH):
        alone = inputs[..., example : example + 1]
        np.testing.assert_allclose(layer.forward(alone)[..., 0], whole[..., example], rtol=1e-12, atol=1e-12)
        assert layer.backward(layer.predict(alone)).shape == alone.shape


@pytest.mark.parametrize("padding", [0, 1])
def test_conv2d_matches_its_definition(generator, padding):
    weights, bias, inputs = generator.normal(size=(2, 3, 3, 3)), generator.normal(size=2), generator.normal(size=(3, 6, 5, BATCH))
    layer = Conv2D.from_weights(weights, bias, padding)
    expected = layer.reference(inputs)
    np.testing.assert_allclose(layer.predict(inputs), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.forward(inputs), expected, rtol=1e-12, atol=1e-12)
    y, x = 3, 2  # and the definition is the sum of window times filter
    padded = np.pad(inputs, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    by_hand = (padded[:, y : y + 3, x : x + 3, 1] * weights[1]).sum() + bias[1]
    assert expected[1, y, x, 1] == pytest.approx(by_hand)


def test_from_weights_makes_the_same_layer(generator):
    dense = built(lambda: Dense(4), (5,), generator)
    conv = built(lambda: Conv2D(2, 3, padding=1), (2, 4, 5), generator)
    for layer, same in (
        (dense, Dense.from_weights(dense.weights, dense.bias)),
        (conv, Conv2D.from_weights(conv.weights.reshape(2, 2, 3, 3), conv.bias, padding=1)),
    ):
        inputs = generator.normal(size=(5, 2) if layer is dense else (2, 4, 5, 2))
        outputs = layer.forward(inputs)
        np.testing.assert_array_equal(same.forward(inputs), outputs)
        np.testing.assert_array_equal(same.backward(outputs), layer.backward(outputs))
        np.testing.assert_array_equal(same.grad_weights, layer.grad_weights)


@pytest.mark.parametrize("block_bytes", [1, 4_000, 10_000_000])
def test_conv2d_does_not_depend_on_the_block_size(generator, monkeypatch, block_bytes):
    inputs, weighting = generator.normal(size=(2, 8, 6, BATCH)), generator.normal(size=(3, 6, 4, BATCH))
    layer = built(lambda: Conv2D(3, 3), (2, 8, 6), generator)
    expected = layer.forward(inputs).copy(), layer.backward(weighting).copy(), layer.grad_weights.copy()
    monkeypatch.setattr(convolution, "COLUMNS_BLOCK_BYTES", block_bytes)
    for actual, wanted in zip((layer.forward(inputs), layer.backward(weighting), layer.grad_weights), expected):
        np.testing.assert_allclose(actual, wanted, rtol=1e-12, atol=1e-12)


def test_maxpool2d_sends_a_tie_s_gradient_to_one_value():
    layer = MaxPool2D(2)
    layer.forward(np.ones((1, 4, 4, 2)))
    assert layer.backward(np.ones((1, 2, 2, 2))).reshape(4, 4, 2)[:, :, 1].tolist() == [[1.0, 0.0] * 2, [0.0] * 4] * 2


def test_he_initialization_has_the_right_spread(generator):
    layer = Dense(400)
    layer.build((250,))
    layer.bind(np.ones(layer.parameter_count), np.zeros(layer.parameter_count))
    layer.initialize(generator)
    assert layer.weights.std() == pytest.approx(np.sqrt(2.0 / 250), rel=0.02)
    assert abs(layer.weights.mean()) < 1e-3
    assert not layer.bias.any()


@pytest.mark.parametrize(
    ("make", "input_shape", "complaint"),
    [
        (lambda: Dense(3), (1, 28, 28), "put flatten before it"),
        (lambda: Conv2D(3, 3), (784,), r"needs \(channels, height, width\)"),
        (lambda: Conv2D(3, 6), (1, 5, 9), "does not fit"),
        (lambda: MaxPool2D(3), (1, 2, 9), "at least that large"),
        (lambda: MaxPool2D(2), (10,), "at least that large"),
    ],
)
def test_rejects_an_input_shape_that_does_not_fit(make, input_shape, complaint):
    with pytest.raises(ValueError, match=complaint):
        make().build(input_shape)


@pytest.mark.parametrize("make", [lambda: Dense(0), lambda: Dense(2.5), lambda: Conv2D(True, 3), lambda: MaxPool2D(-1)])
def test_rejects_sizes_that_are_not_positive_integers(make):
    with pytest.raises(ValueError, match="whole number"):
        make()


def test_dropout_keeps_the_mean_and_masks_the_gradient(generator):
    layer, inputs, weighting = Dropout(0.3), np.ones((200, 100)), generator.normal(size=(200, 100))
    layer.generator = generator
    outputs = layer.forward(inputs)
    assert set(np.unique(outputs)) == {0.0, 1.0 / 0.7}
    assert np.mean(outputs == 0.0) == pytest.approx(0.3, abs=0.02)  # 6 standard deviations
    np.testing.assert_allclose(inputs * layer.backward(weighting), outputs * weighting)
    assert (layer.forward(inputs) != outputs).any()
    assert layer.forward(inputs.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan"), "half", True])
def test_rejects_a_dropout_rate_out_of_range(rate):
    with pytest.raises(ValueError, match="rate must be a number from 0 to below 1"):
        Dropout(rate)
