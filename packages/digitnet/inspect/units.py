"""Units: one number of a layer's output, with its inputs, weights and receptive field.

    y = sum of inputs * weights + bias        a unit of dense or conv2d
    y = the largest of its inputs             a unit of maxpool2d
    y = max(x, 0)                             a unit of relu

A unit depends on a part of the layer before, which depends on a part of the layer before that, and so on. The part of the image
that can change the unit is its receptive field (discovered in cats: Hubel and Wiesel, 1959).
"""

import math
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from digitnet.arrays import Floats, Shape
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.inspect.edits import check_layer
from digitnet.layers import Dense, Flatten, Layer
from digitnet.network import Network

Ranges = list[tuple[int, int]]  # (start, end) for each axis


class Field(NamedTuple):
    """A part of the image: rows top to bottom - 1, columns left to right - 1."""

    top: int
    left: int
    bottom: int
    right: int


class Unit(NamedTuple):
    """One number of a layer's output, with its inputs."""

    value: float
    inputs: Floats  # (channels, k, k) of conv2d, (1, size, size) of maxpool2d, (features,) of dense, else (1,)
    weights: Floats | None  # in the inputs' shape; None for a layer without parameters
    bias: float | None
    field: Field


def inspect_unit(network: Network, image: Floats, layer: int, place: Sequence[int]) -> Unit:
    """Return the unit at a place, (channel, row, column) or (feature,), of a layer's output for an image (28, 28) in [0, 1].

    Layers and places count from 0. ValueError if the unit does not exist. Several threads may call it at once.
    """
    check_layer(network, layer)
    shape = network.shapes[layer + 1]
    if len(place) != len(shape) or not all(0 <= at < size for at, size in zip(place, shape)):
        raise ValueError(f"place: layer {layer} gives out {shape}, which has no {tuple(place)}")
    outputs = [output[..., 0] for output in islice(network.outputs(np.asarray(image)[None]), layer + 1)]
    before = outputs[layer - 1] if layer else np.asarray(image, network.dtype).reshape(network.shapes[0])
    inspected = network.layers[layer]
    ranges = _sources(inspected, [(at, at + 1) for at in place], before.shape)
    margin = inspected.padding if isinstance(inspected, Conv2D) else 0
    if margin:
        before = np.pad(before, ((0, 0), (margin, margin), (margin, margin)))
        ranges = [ranges[0], *((start + margin, end + margin) for start, end in ranges[1:])]
    inputs = before[tuple(slice(start, end) for start, end in ranges)]
    if not isinstance(inspected, Conv2D | MaxPool2D | Dense):
        inputs = inputs.reshape(-1)
    weights, bias = None, None
    if inspected.parameter_count:
        weights, bias = inspected.weights[place[0]].reshape(inputs.shape), float(inspected.bias[place[0]])
    return Unit(float(outputs[layer][tuple(place)]), inputs, weights, bias, receptive_field(network, layer, place))


def receptive_field(network: Network, layer: int, place: Sequence[int]) -> Field:
    """Return the part of the image that can change the unit at this place of a layer's output."""
    ranges = [(at, at + 1) for at in place]
    for index in range(layer, -1, -1):
        shape = network.shapes[index]
        ranges = _sources(network.layers[index], ranges, shape)
        ranges = [(max(0, start), min(size, end)) for (start, end), size in zip(ranges, shape)]  # cuts off the padding
    _, (top, bottom), (left, right) = ranges
    return Field(top, left, bottom, right)


def _sources(layer: Layer, ranges: Ranges, shape: Shape) -> Ranges:
    """Return the ranges of a layer's input, of this shape, that ranges of its output depend on. They may include padding."""
    match layer:
        case Dense():
            return [(0, size) for size in shape]
        case Flatten():
            ((start, end),) = ranges
            if end - start == math.prod(shape):
                return [(0, size) for size in shape]
            return [(int(at), int(at) + 1) for at in np.unravel_index(start, shape)]  # a range has one feature, or all of them
        case Conv2D(kernel_size=k, padding=p):
            return [(0, shape[0]), *((start - p, end - p + k - 1) for start, end in ranges[1:])]
        case MaxPool2D(size=s):
            return [ranges[0], *((start * s, end * s) for start, end in ranges[1:])]
        case _:
            return ranges
