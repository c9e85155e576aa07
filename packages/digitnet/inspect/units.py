"""One unit: a single number that a layer gives out, where it looks, and what it adds up; and a network with some of it changed.

    y = sum of inputs * weights + bias        a unit of dense or conv2d
    y = the largest of its inputs             of maxpool2d
    y = max(x, 0)                             of relu

What it looks at in the layer before depends in turn on a part of the layer before that, and so on: what of the image can
reach it at all is its receptive field (Hubel and Wiesel found those of cats in 1959).
"""

import math
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from digitnet.layers import Conv2D, Dense, Flatten, MaxPool2D
from digitnet.network import Network

BIAS = "bias"


class Field(NamedTuple):
    """A part of the image: rows from top to before bottom, columns from left to before right."""

    top: int
    left: int
    bottom: int
    right: int


class Unit(NamedTuple):
    """How one number came about, in network.dtype."""

    value: float
    inputs: np.ndarray  # (channels, k, k) of conv2d, (1, size, size) of maxpool2d, (features,) of dense, else (1,)
    weights: np.ndarray | None  # in the inputs' shape; None where the layer has none
    bias: float | None
    field: Field


class Change(NamedTuple):
    """One parameter of a unit, or all: of conv2d a unit is a filter."""

    layer: int
    unit: int
    weight: int | str | None  # which of weights[unit], or "bias"; None: all of both
    value: float


def inspect_unit(network: Network, image: np.ndarray, layer: int, place: Sequence[int]) -> Unit:
    """Image (28, 28) in [0, 1] -> the unit at a place, (channel, row, column) or (feature,), of a layer's output.

    Layers and places count from 0. ValueError if there is no such unit. Remembers nothing: safe from several threads at once.
    """
    _check_layer(network, layer)
    shape = network.shapes[layer + 1]
    if len(place) != len(shape) or not all(0 <= at < size for at, size in zip(place, shape)):
        raise ValueError(f"place: layer {layer} gives out {shape}, which has no {tuple(place)}")
    outputs = [output[..., 0] for output in islice(network.outputs(np.asarray(image)[None]), layer + 1)]
    before = outputs[layer - 1] if layer else np.asarray(image, network.dtype).reshape(network.shapes[0])
    looking = network.layers[layer]
    ranges = _seen(looking, [(at, at + 1) for at in place], before.shape)
    margin = looking.padding if isinstance(looking, Conv2D) else 0
    if margin:
        before = np.pad(before, ((0, 0), (margin, margin), (margin, margin)))
        ranges = [ranges[0], *((start + margin, end + margin) for start, end in ranges[1:])]
    inputs = before[tuple(slice(start, end) for start, end in ranges)]
    if not isinstance(looking, Conv2D | MaxPool2D | Dense):
        inputs = inputs.reshape(-1)
    weights = looking.weights[place[0]].reshape(inputs.shape) if looking.parameter_count else None
    bias = float(looking.bias[place[0]]) if looking.parameter_count else None
    return Unit(float(outputs[layer][tuple(place)]), inputs, weights, bias, receptive_field(network, layer, place))


def receptive_field(network: Network, layer: int, place: Sequence[int]) -> Field:
    """What of the image can change the unit at this place of a layer's output."""
    ranges = [(at, at + 1) for at in place]
    for index in range(layer, -1, -1):
        shape = network.shapes[index]
        ranges = _seen(network.layers[index], ranges, shape)
        ranges = [(max(0, start), min(size, end)) for (start, end), size in zip(ranges, shape)]  # beyond it there is padding
    _, (top, bottom), (left, right) = ranges
    return Field(top, left, bottom, right)


def changed(network: Network, changes: Iterable[Change]) -> Network:
    """A copy of the network with these changes, one after the other; all zero is a unit that is switched off, for it gives out
    nothing whatever it sees. ValueError if there is no such parameter. The network itself stays as it is.
    """
    copy = Network(network.specification, network.dtype, network.parameters.copy())
    for layer, unit, weight, value in changes:
        _check_layer(copy, layer)
        of = copy.layers[layer]
        if not of.parameter_count:
            raise ValueError(f"layer {layer} has no weights that could be changed")
        if not 0 <= unit < len(of.weights):
            raise ValueError(f"unit: layer {layer} has {len(of.weights)}, which count from 0, so there is no {unit}")
        weights = of.weights[unit]
        if weight is None:
            weights[:] = of.bias[unit] = value
        elif weight == BIAS:
            of.bias[unit] = value
        elif isinstance(weight, int) and 0 <= weight < weights.size:
            weights[weight] = value
        else:
            raise ValueError(f"weight: a unit of layer {layer} has {weights.size}, which count from 0, so there is no {weight!r}")
    return copy


def _seen(layer, ranges, shape):
    """What these ranges of a layer's output depend on, as ranges of its input, (start, end) for each axis of its shape. They
    go beyond its edges where there is padding."""
    match layer:
        case Dense():
            return [(0, size) for size in shape]
        case Flatten():
            ((start, end),) = ranges
            if end - start == math.prod(shape):
                return [(0, size) for size in shape]
            return [(int(at), int(at) + 1) for at in np.unravel_index(start, shape)]  # nothing looks at some but not all
        case Conv2D(kernel_size=k, padding=p):
            return [(0, shape[0]), *((start - p, end - p + k - 1) for start, end in ranges[1:])]
        case MaxPool2D(size=s):
            return [ranges[0], *((start * s, end * s) for start, end in ranges[1:])]
        case _:
            return ranges


def _check_layer(network, layer):
    if not 0 <= layer < len(network.layers):
        raise ValueError(f"layer: this network has {len(network.layers)}, which count from 0, so there is no {layer}")
