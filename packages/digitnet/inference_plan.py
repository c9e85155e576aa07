"""The forward pass once more, for speed: everything that does not depend on the images is done beforehand.

layers.py says what a network computes, and is what to read; here the same sums are done for batches of one size that always
stand in the same memory. So there is nothing to ask the system for, no shape to work out and no view to make while somebody
waits, which for a single image takes longer than the sums themselves:

    windows   each convolution has a view of all windows of its input, made once, and room for the columns they are copied to
    bias      is one more weight, whose input is always 1: no pass over the outputs to add it
    pooling   the larger of two rows, then of two columns: half as many comparisons as with each corner
    blocks    of a large batch a convolution does a few output rows at a time, so that their columns stay in the processor's cache

What comes out is what Network.predict_logits gives, but for the last bits: floats are added in another order.
"""

import math
from collections.abc import Callable
from functools import partial
from threading import Lock

import numpy as np
from numpy.lib.stride_tricks import as_strided

from digitnet.layers import Conv2D, Dense, Dropout, Flatten, Layer, MaxPool2D, ReLU
from digitnet.network import IMAGE_SHAPE, Network, check_images

WIDE = 128  # filters * (k - 1): with more of them, what is computed and left out costs more than the shorter runs

Step = Callable[[], object]


class InferencePlan:
    """A network as it is now, for batches of `batch` images. Changes of its parameters after that are not seen.

    Safe from several threads, which take turns; for threads side by side make one for each.
    """

    def __init__(self, network: Network, batch: int = 1):
        if batch < 1:
            raise ValueError(f"batch must be at least 1, not {batch}")
        self.batch, self.classes = batch, network.classes
        self._lock = Lock()
        self._inputs = outputs = np.zeros((*IMAGE_SHAPE, batch), network.dtype)
        self._steps: list[Step] = []
        for layer in network.layers:
            outputs, steps = COMPILED[type(layer)](layer, outputs)
            self._steps += steps
        self._outputs = outputs
        self._images = self._inputs[0].transpose(2, 0, 1)  # (batch, 28, 28), the same memory

    def predict_logits(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> logits (n, classes), as Network.predict_logits."""
        check_images(images)
        logits = np.empty((len(images), self.classes), self._outputs.dtype)
        steps = self._steps
        with self._lock:
            for start in range(0, len(images), self.batch):
                chosen = images[start : start + self.batch]
                self._images[: len(chosen)] = chosen  # of a last batch that is smaller, what was there before is computed too
                for step in steps:
                    step()
                logits[start : start + self.batch] = self._outputs[:, : len(chosen)].T
        return logits


def _convolution(layer: Conv2D, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    p, k = layer.padding, layer.kernel_size
    steps: list[Step] = []
    if p:
        channels, height, width, batch = inputs.shape
        padded = np.zeros((channels, height + 2 * p, width + 2 * p, batch), inputs.dtype)  # the frame stays zero
        steps.append(partial(np.copyto, padded[:, p:-p, p:-p], inputs))
        inputs = padded
    weights = np.concatenate([layer.weights, layer.bias[:, None]], axis=1)
    convolved = _in_long_runs if inputs.shape[-1] == 1 and layer.filters * (k - 1) <= WIDE else _in_blocks
    outputs, more = convolved(layer, weights, inputs)
    return outputs, steps + more


def _in_blocks(layer: Conv2D, weights: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    """As Conv2D does it, a block of output rows at a time: its windows are copied, and multiplied while they are in the cache."""
    blocks = layer.blocks(inputs)
    windows = layer.windows(inputs, blocks)
    columns, target = _columns(windows.shape[1:], inputs.dtype)
    outputs = np.empty(layer.outputs_shape(inputs), inputs.dtype)
    steps: list[Step] = []
    for block, places in zip(windows, layer.in_blocks(outputs, blocks)):
        steps += [partial(np.copyto, target, block), partial(np.matmul, weights, columns, places)]
    return outputs, steps


def _in_long_runs(layer: Conv2D, weights: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    """For one image: what stands at one place of the windows is copied as one run through the whole map, over the ends of its
    rows: far fewer pieces. The k - 1 windows at the end of each row, which hang over, are computed too and left out."""
    k, channels = layer.kernel_size, len(inputs)
    filters, height, width, _ = layer.outputs_shape(inputs)
    channel, row, column, _ = inputs.strides
    whole = row // column  # a row's width in memory
    run = (height - 1) * whole + width
    columns, target = _columns((channels, k, k, height * whole), inputs.dtype)
    windows = as_strided(inputs, (channels, k, k, run), (channel, row, column, column))
    outputs = np.empty((filters, height * whole), inputs.dtype)
    steps = [partial(np.copyto, target[..., :run], windows), partial(np.dot, weights, columns, outputs)]
    return outputs.reshape(filters, height, whole, 1)[:, :, :width], steps


def _columns(shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Memory for columns of (channels, k, k, places …): as a matrix with a row of ones below, and without it in this shape."""
    size = math.prod(shape[:3])
    columns = np.ones((size + 1, math.prod(shape[3:])), dtype)
    return columns, columns[:-1].reshape(shape)


def _pooling(layer: MaxPool2D, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    s = layer.size
    channels, height, width, batch = inputs.shape
    of_rows = np.empty((channels, height // s, width, batch), inputs.dtype)
    outputs = np.empty((channels, height // s, width // s, batch), inputs.dtype)
    rows = [inputs[:, i : height - height % s : s] for i in range(s)]
    columns = [of_rows[:, :, j : width - width % s : s] for j in range(s)]
    return outputs, _largest(rows, of_rows) + _largest(columns, outputs)


def _largest(arrays: list[np.ndarray], out: np.ndarray) -> list[Step]:
    first, *others = arrays
    if not others:
        return [partial(np.copyto, out, first)]
    return [partial(np.maximum, first if number == 0 else out, other, out=out) for number, other in enumerate(others)]


def _relu(_: Layer, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    """In its input's own memory, but where that has gaps: what follows is faster without."""
    outputs = inputs if inputs.flags.c_contiguous else np.empty(inputs.shape, inputs.dtype)
    return outputs, [partial(np.maximum, inputs, inputs.dtype.type(0.0), out=outputs)]


def _flatten(_: Flatten, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    if inputs.flags.c_contiguous:
        return inputs.reshape(-1, inputs.shape[-1]), []
    outputs = np.empty(inputs.shape, inputs.dtype)
    return outputs.reshape(-1, inputs.shape[-1]), [partial(np.copyto, outputs, inputs)]


def _dense(layer: Dense, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    weights, bias = layer.weights.copy(), layer.bias[:, None].copy()
    outputs = np.empty((layer.units, inputs.shape[-1]), inputs.dtype)
    return outputs, [partial(np.dot, weights, inputs, outputs), partial(np.add, outputs, bias, outputs)]


def _dropout(_: Dropout, inputs: np.ndarray) -> tuple[np.ndarray, list[Step]]:
    return inputs, []


# For each kind of layer: what it makes of inputs that stand there, as the outputs' memory and the steps that fill it.
COMPILED: dict[type[Layer], Callable] = {
    Conv2D: _convolution,
    MaxPool2D: _pooling,
    Dense: _dense,
    ReLU: _relu,
    Flatten: _flatten,
    Dropout: _dropout,
}
