"""Edits: a copy of a network with some parameters replaced, to see their effect."""

from collections.abc import Iterable
from typing import NamedTuple

from digitnet.network import Network

BIAS = "bias"


class Edit(NamedTuple):
    """A new value for one parameter of a unit, or for all of them. A unit of conv2d is a filter."""

    layer: int
    unit: int
    weight: int | str | None  # an index into the unit's weights, or "bias"; None: all weights and the bias
    value: float


def with_edits(network: Network, edits: Iterable[Edit]) -> Network:
    """Return a copy of the network with these edits, in order. To set all of a unit's parameters to 0 switches it off.

    ValueError if a parameter does not exist.
    """
    copy = network.copy()
    for index, unit, weight, value in edits:
        check_layer(copy, index)
        layer = copy.layers[index]
        if not layer.parameter_count:
            raise ValueError(f"layer {index} has no weights that could be changed")
        if not 0 <= unit < len(layer.weights):
            raise ValueError(f"unit: layer {index} has {len(layer.weights)}, which count from 0, so there is no {unit}")
        weights = layer.weights[unit]
        if weight is None:
            weights[:] = layer.bias[unit] = value
        elif weight == BIAS:
            layer.bias[unit] = value
        elif isinstance(weight, int) and 0 <= weight < weights.size:
            weights[weight] = value
        else:
            raise ValueError(f"weight: a unit of layer {index} has {weights.size}, which count from 0, so there is no {weight!r}")
    return copy


def check_layer(network: Network, layer: int) -> None:
    """Raise ValueError if the network has no layer with this index."""
    if not 0 <= layer < len(network.layers):
        raise ValueError(f"layer: this network has {len(network.layers)}, which count from 0, so there is no {layer}")
