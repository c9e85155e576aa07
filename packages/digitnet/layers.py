"""The layers: what each one computes, and how the gradient of the loss flows back through it.

A layer is a function y = f(x) with two directions:

    forward    y from x, remembering what the way back needs
    backward   dL/dx from dL/dy by the chain rule, and dL/dw for the layer's own parameters

Written out once for each layer, that is all of backpropagation (Rumelhart, Hinton and Williams, Nature 323, 1986).

Shapes. Inside the network the batch is the LAST axis: feature maps are (channels, height, width, batch) and vectors are
(features, batch), each column one example. So a layer reads like the textbook's y = W x + b, and NumPy's inner loops run
over long contiguous rows (A. Krizhevsky's cuda-convnet chose the same order for the same reason).

`predict` computes what `forward` does but remembers nothing: a service may call it from several threads at once.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

COLUMNS_BLOCK_BYTES = 256 * 1024  # a block of Conv2D's columns that stays in a core's own cache


class Layer:
    """What every layer has in common. A layer without parameters needs only forward, backward and predict."""

    generator: np.random.Generator | None = None  # what forward draws from where a layer has something to draw
    weights_shape: tuple[int, ...] | None = None  # None: the layer has no parameters
    weights: np.ndarray
    bias: np.ndarray
    grad_weights: np.ndarray
    grad_bias: np.ndarray

    def __init__(self):
        self._buffers = {}

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Take the shape of one example's input, settle weights_shape, return the shape of its output (no batch axis).

        ValueError if such an input does not fit.
        """
        return input_shape

    def workspace(self, input_shape: tuple[int, ...], output_shape: tuple[int, ...]) -> int:
        """Return how many numbers it takes to compute one example's output, beside the input and the output."""
        return 0

    @property
    def parameter_count(self) -> int:
        """Weights, then one bias for each output channel or unit."""
        return 0 if self.weights_shape is None else math.prod(self.weights_shape) + self.weights_shape[0]

    def bind(self, parameters: np.ndarray, gradients: np.ndarray) -> None:
        """Make weights, bias and their gradients views of this layer's part of the network's two flat vectors."""
        split = parameters.size - self.weights_shape[0]
        self.weights, self.bias = parameters[:split].reshape(self.weights_shape), parameters[split:]
        self.grad_weights, self.grad_bias = gradients[:split].reshape(self.weights_shape), gradients[split:]

    def initialize(self, generator: np.random.Generator) -> None:
        """He initialisation: normal weights of variance 2 / fan_in keep ReLU's signal alive (He et al., 2015)."""
        fan_in = math.prod(self.weights_shape[1:])
        self.weights[:] = generator.normal(0.0, math.sqrt(2.0 / fan_in), self.weights_shape)
        self.bias[:] = 0.0

    def forward(self, inputs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def backward(self, grad_outputs: np.ndarray, needs_grad_inputs: bool = True) -> np.ndarray | None:
        """dL/d(outputs) -> dL/d(inputs); sets grad_weights and grad_bias. The first layer can skip dL/d(inputs)."""
        raise NotImplementedError

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _buffer(self, name: str, shape: tuple[int, ...], dtype) -> np.ndarray:
        """A piece of memory kept from batch to batch: asking the system for megabytes each time costs more than the sums."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != shape or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(shape, dtype)
        return buffer


class Dense(Layer):
    """Every output is a weighted sum of every input: y = W x + b.  W is (units, features)."""

    def __init__(self, units: int):
        super().__init__()
        self.units = _positive("units", units)

    def build(self, input_shape):
        if len(input_shape) != 1:
            raise ValueError(f"dense needs a vector for each example, but its input is {input_shape}: put flatten before it")
        self.weights_shape = (self.units, input_shape[0])
        return (self.units,)

    def predict(self, inputs):
        return self.weights @ inputs + self.bias[:, None]

    def forward(self, inputs):
        self.inputs = inputs
        return self.predict(inputs)

    def backward(self, grad_outputs, needs_grad_inputs=True):
        # dL/dW = dL/dy x^T, summed over the batch by the product; dL/db = dL/dy, summed over the batch; dL/dx = W^T dL/dy
        np.matmul(grad_outputs, self.inputs.T, out=self.grad_weights)
        np.sum(grad_outputs, axis=1, out=self.grad_bias)
        return self.weights.T @ grad_outputs if needs_grad_inputs else None


class Conv2D(Layer):
    """The same k x k filter looks at every place of the image.  W is (filters, channels * k * k), stride 1.

    Each output is the sum of window * filter, so with every window laid out as a column, one matrix product does the whole
    convolution: y = W columns + b ("im2col"; Chellapilla et al., 2006). The columns are made in blocks of whole output
    rows, and the product taken block by block, so that what it reads and writes stays in the processor's cache.
    """

    def __init__(self, filters: int, kernel_size: int, padding: int = 0):
        super().__init__()
        self.filters, self.kernel_size = _positive("filters", filters), _positive("kernel_size", kernel_size)
        self.padding = _positive("padding", padding, at_least=0)

    def build(self, input_shape):
        if len(input_shape) != 3:
            raise ValueError(f"conv2d needs (channels, height, width) for each example, but its input is {input_shape}")
        channels, height, width = input_shape
        self.weights_shape = (self.filters, channels * self.kernel_size**2)
        smaller_by = self.kernel_size - 1 - 2 * self.padding
        if min(height, width) <= smaller_by:
            raise ValueError(f"conv2d with kernel_size {self.kernel_size} does not fit into an input of {input_shape}")
        return (self.filters, height - smaller_by, width - smaller_by)

    def workspace(self, input_shape, output_shape):
        channels, height, width = (size + 2 * self.padding if axis else size for axis, size in enumerate(input_shape))
        columns = self.kernel_size**2 * output_shape[1] * width  # as inference_plan.py lays them out: the ends of rows too
        return channels * (height * width + columns)

    def predict(self, inputs):
        return self._convolve(self._padded(inputs), lambda _, shape, dtype: np.empty(shape, dtype))[0]

    def forward(self, inputs):
        self.inputs = self._padded(inputs)
        outputs, self.columns = self._convolve(self.inputs, self._buffer)
        return outputs

    def backward(self, grad_outputs, needs_grad_inputs=True):
        # y = W columns + b as in Dense, so dL/dW = dL/dy columns^T and dL/dcolumns = W^T dL/dy; blocks are summed.
        grad = self.in_blocks(grad_outputs, len(self.columns))
        self.grad_weights[:] = np.matmul(_as_matrices(self.columns), grad.transpose(0, 2, 1)).sum(axis=0).T
        np.sum(grad_outputs.reshape(self.filters, -1), axis=1, out=self.grad_bias)
        if not needs_grad_inputs:
            return None
        grad_columns = self._buffer("grad_columns", self.columns.shape, self.columns.dtype)
        np.matmul(self.weights.T, grad, out=_as_matrices(grad_columns))
        # The copy's way back: an input gets the sum of the gradients of all the windows that it was copied into.
        grad_inputs = self._buffer("grad_inputs", self.inputs.shape, self.inputs.dtype)
        grad_inputs[:] = 0.0
        grad_windows = self.windows(grad_inputs, len(self.columns))
        for i in range(self.kernel_size):
            for j in range(self.kernel_size):
                grad_windows[:, :, i, j] += grad_columns[:, :, i, j]
        p = self.padding
        return grad_inputs[:, p : -p or None, p : -p or None]

    def _padded(self, inputs):
        p = self.padding
        return np.pad(inputs, ((0, 0), (p, p), (p, p), (0, 0))) if p else inputs

    def _convolve(self, inputs, empty):
        """Padded inputs -> outputs and the columns, in memory from `empty(name, shape, dtype)`."""
        windows = self.windows(inputs, self.blocks(inputs))
        columns = empty("columns", windows.shape, inputs.dtype)
        np.copyto(columns, windows)
        outputs = empty("outputs", self.outputs_shape(inputs), inputs.dtype)
        np.matmul(self.weights, _as_matrices(columns), out=self.in_blocks(outputs, len(columns)))
        outputs += self.bias[:, None, None, None]
        return outputs, columns

    def outputs_shape(self, inputs: np.ndarray) -> tuple[int, int, int, int]:
        """Of padded inputs (channels, height, width, batch): (filters, height, width, batch)."""
        _, height, width, batch = inputs.shape
        return self.filters, height - self.kernel_size + 1, width - self.kernel_size + 1, batch

    def blocks(self, inputs: np.ndarray) -> int:
        """Into how many blocks of whole output rows padded inputs fall: as few as there can be of COLUMNS_BLOCK_BYTES at most."""
        _, height, width, batch = self.outputs_shape(inputs)
        row_bytes = inputs.itemsize * len(inputs) * self.kernel_size**2 * width * batch
        rows = next(r for r in range(height, 0, -1) if height % r == 0 and (r == 1 or r * row_bytes <= COLUMNS_BLOCK_BYTES))
        return height // rows

    def windows(self, maps: np.ndarray, blocks: int) -> np.ndarray:
        """A view of (channels, height, width, batch) as (blocks, channels, k, k, rows, width, batch).

        [b, c, i, j, y, x, n] is maps[c, b * rows + y + i, x + j, n]: the same number stands in up to k * k windows.
        """
        channels, height, width, batch = maps.shape
        k = self.kernel_size
        rows = (height - k + 1) // blocks
        channel, row, column, example = maps.strides
        shape = (blocks, channels, k, k, rows, width - k + 1, batch)
        return as_strided(maps, shape, (rows * row, channel, row, column, row, column, example))

    def in_blocks(self, outputs: np.ndarray, blocks: int) -> np.ndarray:
        """A view of (filters, height, width, batch) as (blocks, filters, places of a block)."""
        return outputs.reshape(self.filters, blocks, -1).transpose(1, 0, 2)


class MaxPool2D(Layer):
    """The largest value of each size x size square: smaller maps that care less where exactly a feature was."""

    def __init__(self, size: int = 2):
        super().__init__()
        self.size = _positive("size", size)

    def build(self, input_shape):
        if len(input_shape) != 3 or min(input_shape[1:]) < self.size:
            raise ValueError(f"maxpool2d of size {self.size} needs maps at least that large, but its input is {input_shape}")
        channels, height, width = input_shape
        return (channels, height // self.size, width // self.size)

    def predict(self, inputs):
        first, *others = self._corners(inputs)
        largest = first.copy()
        for corner in others:
            np.maximum(largest, corner, out=largest)
        return largest

    def forward(self, inputs):
        self.inputs_shape = inputs.shape
        first, *others = self._corners(inputs)
        largest = self._buffer("largest", first.shape, inputs.dtype)
        # winner says which corner of each square was the largest; of equals the first, so that only one gets the gradient.
        self.winner = self._buffer("winner", first.shape, np.uint8)
        beats = self._buffer("beats", first.shape, np.bool_)
        largest[:] = first
        self.winner[:] = 0
        for index, corner in enumerate(others, start=1):
            np.greater(corner, largest, out=beats)
            np.maximum(largest, corner, out=largest)
            np.maximum(self.winner, np.multiply(beats, np.uint8(index)), out=self.winner)
        return largest

    def backward(self, grad_outputs, needs_grad_inputs=True):
        # Only the largest value had a say in the output: all of the gradient goes to it, none to the others.
        grad_inputs = self._buffer("grad_inputs", self.inputs_shape, grad_outputs.dtype)
        _, height, width, _ = self.inputs_shape
        grad_inputs[:, height - height % self.size :] = 0.0  # what no square covers has no say either
        grad_inputs[:, :, width - width % self.size :] = 0.0
        for index, corner in enumerate(self._corners(grad_inputs)):
            np.multiply(grad_outputs, self.winner == index, out=corner)
        return grad_inputs

    def _corners(self, maps):
        """Views of the size * size members of every square: all top left ones, all top right ones, …"""
        s = self.size
        _, height, width, _ = maps.shape
        bottom, right = height - height % s, width - width % s
        return [maps[:, i:bottom:s, j:right:s] for i in range(s) for j in range(s)]


class ReLU(Layer):
    """y = max(x, 0): the bend between two linear layers, without which they would be one linear layer."""

    def predict(self, inputs):
        return np.maximum(inputs, 0.0)

    def forward(self, inputs):
        self.positive = inputs > 0.0
        return np.maximum(inputs, 0.0)

    def backward(self, grad_outputs, needs_grad_inputs=True):
        return grad_outputs * self.positive  # dy/dx is 1 where x was positive and 0 elsewhere


class Flatten(Layer):
    """(channels, height, width) -> one vector of features: the same numbers, read row after row."""

    def build(self, input_shape):
        return (math.prod(input_shape),)

    def predict(self, inputs):
        return inputs.reshape(-1, inputs.shape[-1])

    def forward(self, inputs):
        self.inputs_shape = inputs.shape
        return self.predict(inputs)

    def backward(self, grad_outputs, needs_grad_inputs=True):
        return grad_outputs.reshape(self.inputs_shape)


class Dropout(Layer):
    """While the network learns, each input is zero with probability `rate`, and the others are larger in proportion, so that
    their sum is the same on average: no unit can rely on what a single other one says (Srivastava et al., "Dropout", 2014).

    Which ones, `generator` says anew for each forward; without one, and in predict, all inputs pass as they are.
    """

    def __init__(self, rate: float):
        super().__init__()
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0.0 <= rate < 1.0:
            raise ValueError(f"rate must be a number from 0 to below 1, not {rate!r}")
        self.rate = rate

    def predict(self, inputs):
        return inputs

    def forward(self, inputs):
        if self.generator is None:
            self.factors = inputs.dtype.type(1.0)
        else:
            kept = self.generator.random(inputs.shape, np.float32) >= self.rate
            self.factors = kept * inputs.dtype.type(1.0 / (1.0 - self.rate))
        return inputs * self.factors

    def backward(self, grad_outputs, needs_grad_inputs=True):
        return grad_outputs * self.factors


LAYERS = {"dense": Dense, "conv2d": Conv2D, "maxpool2d": MaxPool2D, "relu": ReLU, "flatten": Flatten, "dropout": Dropout}


def _as_matrices(columns):
    """(blocks, channels, k, k, rows, width, batch) as (blocks, channels * k * k, places of a block), the same memory."""
    blocks, channels, k = columns.shape[:3]
    return columns.reshape(blocks, channels * k * k, -1)


def _positive(name, value, at_least=1):
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value!r}")
    return value
