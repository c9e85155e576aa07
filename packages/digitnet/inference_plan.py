"""The inference plan: the forward pass, compiled for speed. layers.py is easier to read.

The service predicts with it: one image takes two thirds of the time of Network.predict_logits (docs/performance.md). All
batches have one size and reuse the same memory, so no call allocates memory, computes a shape or makes a view.

Each convolution has one view of its input's windows, and memory for their columns. The bias is one more weight with the constant
input 1, so no extra pass adds it. A convolution of a large batch computes a few output rows at a time, so that their columns
stay in the cache.

The logits differ from those of Network.predict_logits in their last bits, because the plan adds floats in another order.
"""

import math
from collections.abc import Callable
from functools import partial
from threading import Lock

import numpy as np

from digitnet.arrays import Floats
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.layers import Dense, Dropout, Flatten, Layer, ReLU
from digitnet.network import IMAGE_SHAPE, Network, check_images

Step = Callable[[], object]
Compiled = tuple[Floats, list[Step]]  # the memory of a layer's outputs, and the steps that compute them


class InferencePlan:
    """A network with its current parameters, for batches of `batch` images. Later changes of the network have no effect.

    Threads that share a plan take turns. To run in parallel, give each its own plan.
    """

    def __init__(self, network: Network, batch: int = 1) -> None:
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
        with self._lock:
            for start in range(0, len(images), self.batch):
                chosen = images[start : start + self.batch]
                self._images[: len(chosen)] = chosen  # a smaller last batch leaves old images behind, which are computed too
                for step in self._steps:
                    step()
                logits[start : start + self.batch] = self._outputs[:, : len(chosen)].T
        return logits


def _convolution(layer: Conv2D, inputs: Floats) -> Compiled:
    """Compile a convolution: for each block, copy its windows to columns and multiply them while they are in the cache."""
    steps: list[Step] = []
    if p := layer.padding:
        channels, height, width, batch = inputs.shape
        padded: Floats = np.zeros((channels, height + 2 * p, width + 2 * p, batch), inputs.dtype)  # the frame stays zero
        steps.append(partial(np.copyto, padded[:, p:-p, p:-p], inputs))
        inputs = padded
    weights = np.concatenate([layer.weights, layer.bias[:, None]], axis=1)
    blocks = layer.blocks(inputs)
    windows = layer.windows(inputs, blocks)
    columns: Floats = np.ones((weights.shape[1], math.prod(windows.shape[4:])), inputs.dtype)  # the last row stays 1
    outputs = np.empty(layer.outputs_shape(inputs), inputs.dtype)
    for block, places in zip(windows, layer.in_blocks(outputs, blocks)):
        steps.append(partial(np.copyto, columns[:-1].reshape(block.shape), block))
        steps.append(partial(np.matmul, weights, columns, places))
    return outputs, steps


def _pooling(layer: MaxPool2D, inputs: Floats) -> Compiled:
    first, *others = layer.corners(inputs)
    outputs = np.empty(first.shape, inputs.dtype)
    steps: list[Step] = [partial(np.maximum, first, others[0] if others else first, out=outputs)]
    return outputs, steps + [partial(np.maximum, outputs, other, out=outputs) for other in others[1:]]


def _relu(_: Layer, inputs: Floats) -> Compiled:
    return inputs, [partial(np.maximum, inputs, inputs.dtype.type(0.0), out=inputs)]  # the same memory


def _flatten(_: Flatten, inputs: Floats) -> Compiled:
    return inputs.reshape(-1, inputs.shape[-1]), []  # the same memory


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
