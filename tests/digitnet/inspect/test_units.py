"""A unit's terms add up to its activation, which depends only on its receptive field."""

import numpy as np
import pytest
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.explanations import activations
from digitnet.inspect.units import Field, inspect_unit, receptive_field

PLACES = {  # in each layer's output, with corners at the padding
    0: [(0, 0, 0), (1, 23, 23), (1, 4, 9)],
    1: [(1, 11, 11)],
    2: [(1, 2, 7)],
    3: [(0, 0, 0), (2, 11, 11), (1, 0, 6), (2, 5, 5)],
    5: [(0, 0, 0), (2, 3, 3), (1, 1, 2)],
    6: [(1, 1, 2)],
    7: [(0,), (17,), (47,)],
    8: [(5,)],
    10: [(10,)],
}
EVERYWHERE = pytest.mark.parametrize(("layer", "place"), [(layer, place) for layer in PLACES for place in PLACES[layer]])


@EVERYWHERE
def test_terms_add_up_to_the_activation(network, image, layer, place):
    unit = inspect_unit(network, image, layer, place)
    assert unit.value == activations(network, image)[layer][place]
    if network.layers[layer].parameter_count:
        assert unit.value == pytest.approx(np.sum(unit.inputs * unit.weights) + unit.bias, abs=1e-12)
    else:
        assert (unit.weights, unit.bias) == (None, None)
        assert unit.value == max(unit.inputs.max(), 0.0 if network.specification[layer] == "relu" else -np.inf)


@EVERYWHERE
def test_depends_only_on_its_receptive_field(network, image, layer, place):
    top, left, bottom, right = receptive_field(network, layer, place)
    within = np.zeros((28, 28), bool)
    within[top:bottom, left:right] = True
    value = activations(network, image)[layer][place]
    generator = np.random.default_rng(3)
    assert activations(network, np.where(within, image, generator.random((28, 28))))[layer][place] == value
    if value != 0.0:  # an inactive ReLU may stay at zero
        others = [activations(network, np.where(within, generator.random((28, 28)), image))[layer][place] for _ in range(5)]
        assert any(other != value for other in others)


def test_the_receptive_field_grows_from_layer_to_layer(network):
    assert receptive_field(network, 0, (0, 3, 4)) == Field(3, 4, 8, 9)
    assert receptive_field(network, 1, (0, 3, 4)) == Field(6, 8, 12, 14)
    assert receptive_field(network, 3, (0, 3, 4)) == Field(4, 6, 14, 16)  # three pooled values, two pixels apart
    assert receptive_field(network, 3, (0, 0, 11)) == Field(0, 20, 8, 28)  # padding is no part of the image
    assert receptive_field(network, 8, (0,)) == Field(0, 0, 28, 28)


@pytest.mark.parametrize(
    ("layer", "place", "message"),
    [
        (-1, (0,), "layer: this network has 11, which count from 0, so there is no -1"),
        (11, (0,), "there is no 11"),
        (0, (0,), r"place: layer 0 gives out \(2, 24, 24\), which has no \(0,\)"),
        (0, (2, 0, 0), "place"),
        (0, (0, -1, 0), "place"),
    ],
)
def test_error_names_a_missing_unit(network, image, layer, place, message):
    with pytest.raises(ValueError, match=message):
        inspect_unit(network, image, layer, place)


class TestEdits:
    def test_edits_weights_of_a_copy(self, network, image):
        before = network.parameters.copy()
        copy = with_edits(network, [Edit(3, 2, 7, 0.25), Edit(8, 1, "bias", -4.0)])
        assert copy.layers[3].weights[2, 7] == 0.25
        assert copy.layers[8].bias[1] == -4.0
        assert np.count_nonzero(copy.parameters != before) == 2
        np.testing.assert_array_equal(network.parameters, before)

    def test_a_unit_that_is_off_outputs_zero(self, network, image):
        outputs = activations(with_edits(network, [Edit(3, 1, None, 0.0)]), image)
        assert not outputs[3][1].any()
        assert outputs[3][0].any()
        np.testing.assert_array_equal(outputs[2], activations(network, image)[2])

    @pytest.mark.parametrize(
        ("edit", "message"),
        [
            (Edit(1, 0, None, 0.0), "layer 1 has no weights"),
            (Edit(0, 2, None, 0.0), "unit: layer 0 has 2, which count from 0, so there is no 2"),
            (Edit(0, -1, None, 0.0), "unit"),
            (Edit(0, 0, 25, 0.0), "weight: a unit of layer 0 has 25, which count from 0, so there is no 25"),
            (Edit(0, 0, -1, 0.0), "weight"),
            (Edit(0, 0, "w", 0.0), "there is no 'w'"),
        ],
    )
    def test_error_names_a_missing_parameter(self, network, edit, message):
        with pytest.raises(ValueError, match=message):
            with_edits(network, [edit])
