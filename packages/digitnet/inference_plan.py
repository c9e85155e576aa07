"""The inference plan: the forward pass compiled for speed. layers.py is the version to read.

One image takes 55 µs here and 105 µs with the layers' own `predict`; the service answers with it (docs/performance.md).
Batches of one size always use the same memory, so no call allocates, works out a shape or makes a view:

    windows   each convolution has one view of its input's windows, and memory for the columns that they are copied to
    bias      is one more weight with the constant input 1, so no pass over the outputs adds it
    blocks    a convolution of a large batch computes a few output rows at a time, so their columns stay in the cache

The logits are those of Network.predict_logits but for the last bits, because floats are added in another order.
"""

import math
from collections.abc import Callable
from functools import partial
from threading import Lock

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike

from digitnet.arrays import Floats, Shape
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.layers import Dense, Dropout, Flatten, Layer, ReLU
from digitnet.network import IMAGE_SHAPE, Network, check_images

WIDE = 128  # filters * (k - 1): with more, the extra products cost more than the longer runs save

Step = Callable[[], object]
Compiled = tuple[Floats, list[Step]]  # the memory of a layer's outputs, and the steps that fill it


class InferencePlan:
    """A network with its present parameters, for batches of `batch` images; later changes have no effect.

    Threads may share a plan and then take turns. To run side by side, each needs its own.
    """

    def __init__(self, network: Network, batch: int = 1) -> None:
        if batch < 1:
            raise ValueError(f"batch must be at least 1, not {batch}")
        self.batch, self.classes = batch, network.classes
        self._lock = Lock()
        inputs: Floats = np.zeros((*IMAGE_SHAPE, batch), network.dtype)
        self._images = inputs[0].transpose(2, 0, 1)  # (batch, 28, 28), the same memory
        outputs = inputs
        self._steps: list[Step] = []
        for layer in network.layers:
            outputs, steps = COMPILED[type(layer)](layer, outputs)
            self._steps += steps
        self._outputs = outputs

    def predict_logits(self, images: Floats) -> Floats:
        """Turn images (n, 28, 28) in [0, 1] into logits (n, classes), as Network.predict_logits does."""
        check_images(images)
        logits = np.empty((len(images), self.classes), self._outputs.dtype)
        steps = self._steps
        with self._lock:
            for start in range(0, len(images), self.batch):
                chosen = images[start : start + self.batch]
                self._images[: len(chosen)] = chosen  # in a smaller last batch, old images are computed too
                for step in steps:
                    step()
                logits[start : start + self.batch] = self._outputs[:, : len(chosen)].T
        return logits


def _convolution(layer: Conv2D, inputs: Floats) -> Compiled:
    p, k = layer.padding, layer.kernel_size
    steps: list[Step] = []
    if p:
        channels, height, width, batch = inputs.shape
        padded: Floats = np.zeros((channels, height + 2 * p, width + 2 * p, batch), inputs.dtype)  # the frame stays zero
        steps.append(partial(np.copyto, padded[:, p:-p, p:-p], inputs))
        inputs = padded
    weights = np.concatenate([layer.weights, layer.bias[:, None]], axis=1)
    convolved = _in_long_runs if inputs.shape[-1] == 1 and layer.filters * (k - 1) <= WIDE else _in_blocks
    outputs, more = convolved(layer, weights, inputs)
    return outputs, steps + more


def _in_blocks(layer: Conv2D, weights: Floats, inputs: Floats) -> Compiled:
    """Convolve as Conv2D does, one block of output rows after the other."""
    blocks = layer.blocks(inputs)
    windows = layer.windows(inputs, blocks)
    columns, target = _columns(windows.shape[1:], inputs.dtype)
    outputs = np.empty(layer.outputs_shape(inputs), inputs.dtype)
    steps: list[Step] = []
    for block, places in zip(windows, layer.in_blocks(outputs, blocks)):
        steps += [partial(np.copyto, target, block), partial(np.matmul, weights, columns, places)]
    return outputs, steps


def _in_long_runs(layer: Conv2D, weights: Floats, inputs: Floats) -> Compiled:
    """Convolve one image: for each place of a window, copy one run through the whole map, over the ends of its rows.

    Those are far fewer pieces. The k - 1 windows over each row's end are computed too and left out.
    """
    k, channels = layer.kernel_size, len(inputs)
    filters, height, width, _ = layer.outputs_shape(inputs)
    channel, row, column, _ = inputs.strides
    whole = row // column  # a row's width in memory
    run = (height - 1) * whole + width
    columns, target = _columns((channels, k, k, height * whole), inputs.dtype)
    windows = as_strided(inputs, (channels, k, k, run), (channel, row, column, column))
    outputs = np.empty((filters, height * whole), inputs.dtype)
    steps: list[Step] = [partial(np.copyto, target[..., :run], windows), partial(np.dot, weights, columns, outputs)]
    return outputs.reshape(filters, height, whole, 1)[:, :, :width], steps


def _columns(shape: Shape, dtype: DTypeLike) -> tuple[Floats, Floats]:
    """Return memory for columns of (channels, k, k, places …): as a matrix with a row of ones, and as a view of this shape."""
    size = math.prod(shape[:3])
    columns = np.ones((size + 1, math.prod(shape[3:])), dtype)
    return columns, columns[:-1].reshape(shape)


def _pooling(layer: MaxPool2D, inputs: Floats) -> Compiled:
    first, *others = layer.corners(inputs)
    outputs = np.empty(first.shape, inputs.dtype)
    steps: list[Step] = [partial(np.maximum, first, others[0] if others else first, out=outputs)]
    return outputs, steps + [partial(np.maximum, outputs, other, out=outputs) for other in others[1:]]


def _relu(_: Layer, inputs: Floats) -> Compiled:
    """Write over the input, unless its memory has gaps: the next layer is faster without gaps."""
    outputs = inputs if inputs.flags.c_contiguous else np.empty(inputs.shape, inputs.dtype)
    return outputs, [partial(np.maximum, inputs, inputs.dtype.type(0.0), out=outputs)]


def _flatten(_: Flatten, inputs: Floats) -> Compiled:
    if inputs.flags.c_contiguous:
        return inputs.reshape(-1, inputs.shape[-1]), []
    outputs = np.empty(inputs.shape, inputs.dtype)
    return outputs.reshape(-1, inputs.shape[-1]), [partial(np.copyto, outputs, inputs)]


def _dense(layer: Dense, inputs: Floats) -> Compiled:
    weights, bias = layer.weights.copy(), layer.bias[:, None].copy()
    outputs = np.empty((layer.units, inputs.shape[-1]), inputs.dtype)
    return outputs, [partial(np.dot, weights, inputs, outputs), partial(np.add, outputs, bias, outputs)]


def _dropout(_: Dropout, inputs: Floats) -> Compiled:
    return inputs, []


COMPILED: dict[type[Layer], Callable[..., Compiled]] = {
    Conv2D: _convolution,
    MaxPool2D: _pooling,
    Dense: _dense,
    ReLU: _relu,
    Flatten: _flatten,
    Dropout: _dropout,
}
