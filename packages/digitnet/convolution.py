"""The layers for images: convolution and pooling. Their output has rows and columns, like their input."""

import math
from collections.abc import Callable
from typing import Self

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import ArrayLike, DTypeLike

from digitnet.arrays import Floats, Shape
from digitnet.layers import Layer, whole_number

COLUMNS_BLOCK_BYTES = 256 * 1024  # this many bytes of Conv2D's columns stay in a core's own cache


class Conv2D(Layer):
    """Apply the same k x k filters at every place of the image.  W is (filters, channels * k * k), stride 1.

    `reference` is the definition. `predict` and `forward` compute the same as a matrix product, y = W columns + b. Each window of
    the input becomes a column ("im2col"; Chellapilla et al., 2006). They work on blocks of whole output rows, whose columns stay
    in the processor's cache.
    """

    def __init__(self, filters: int, kernel_size: int, padding: int = 0) -> None:
        super().__init__()
        self.filters, self.kernel_size = whole_number("filters", filters), whole_number("kernel_size", kernel_size)
        self.padding = whole_number("padding", padding, at_least=0)

    @classmethod
    def from_weights(cls, weights: ArrayLike, bias: ArrayLike, padding: int = 0) -> Self:
        """Make a layer of weights (filters, channels, k, k) and a bias (filters,)."""
        filters, channels, kernel_size, _ = np.shape(weights)
        layer = cls(filters, kernel_size, padding)
        layer.weights_shape = (filters, channels * kernel_size**2)
        return layer._with(weights, bias)

    def build(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise ValueError(f"conv2d needs (channels, height, width) for each example, but its input is {input_shape}")
        channels, height, width = input_shape
        self.weights_shape = (self.filters, channels * self.kernel_size**2)
        smaller_by = self.kernel_size - 1 - 2 * self.padding
        if min(height, width) <= smaller_by:
            raise ValueError(f"conv2d with kernel_size {self.kernel_size} does not fit into an input of {input_shape}")
        return (self.filters, height - smaller_by, width - smaller_by)

    def workspace(self, input_shape: Shape, output_shape: Shape) -> int:
        channels, height, width = input_shape
        padded = (height + 2 * self.padding) * (width + 2 * self.padding)
        return channels * (padded + self.kernel_size**2 * math.prod(output_shape[1:]))

    def reference(self, inputs: Floats) -> Floats:
        """Return the same as `predict`, one product at a time: slow, and easy to read."""
        inputs, k = self._padded(inputs), self.kernel_size
        weights = self.weights.reshape(self.filters, len(inputs), k, k)
        outputs = np.zeros(self.outputs_shape(inputs), inputs.dtype) + self.bias[:, None, None, None]
        _, height, width, _ = outputs.shape
        for f in range(self.filters):
            for channel in range(len(inputs)):
                for row in range(height):
                    for column in range(width):
                        for i in range(k):
                            for j in range(k):
                                outputs[f, row, column] += weights[f, channel, i, j] * inputs[channel, row + i, column + j]
        return outputs

    def predict(self, inputs: Floats) -> Floats:
        return self._convolve(self._padded(inputs), lambda _, shape, dtype: np.empty(shape, dtype))[0]

    def forward(self, inputs: Floats) -> Floats:
        self.inputs = self._padded(inputs)
        outputs, self.columns = self._convolve(self.inputs, self._buffer)
        return outputs

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        # As in Dense, y = W columns + b, so dL/dW = dL/dy columns^T, summed over blocks, and dL/dcolumns = W^T dL/dy.
        grad = self.in_blocks(grad_outputs, len(self.columns))
        self.grad_weights[:] = np.matmul(_as_matrices(self.columns), grad.transpose(0, 2, 1)).sum(axis=0).T
        np.sum(grad_outputs.reshape(self.filters, -1), axis=1, out=self.grad_bias)
        if not needs_grad_inputs:
            return None
        grad_columns = self._buffer("grad_columns", self.columns.shape, self.columns.dtype)
        np.matmul(self.weights.T, grad, out=_as_matrices(grad_columns))
        # Each input was copied into several windows, so its gradient is the sum of theirs.
        grad_inputs = self._buffer("grad_inputs", self.inputs.shape, self.inputs.dtype)
        grad_inputs[:] = 0.0
        grad_windows = self.windows(grad_inputs, len(self.columns))
        for i in range(self.kernel_size):
            for j in range(self.kernel_size):
                grad_windows[:, :, i, j] += grad_columns[:, :, i, j]
        p = self.padding
        return grad_inputs[:, p : -p or None, p : -p or None]

    def _padded(self, inputs: Floats) -> Floats:
        p = self.padding
        return np.pad(inputs, ((0, 0), (p, p), (p, p), (0, 0))) if p else inputs

    def _convolve(self, inputs: Floats, empty: Callable[[str, Shape, DTypeLike], Floats]) -> tuple[Floats, Floats]:
        """Return the outputs for padded inputs, and the columns. `empty` allocates both."""
        windows = self.windows(inputs, self.blocks(inputs))
        columns = empty("columns", windows.shape, inputs.dtype)
        np.copyto(columns, windows)
        outputs = empty("outputs", self.outputs_shape(inputs), inputs.dtype)
        np.matmul(self.weights, _as_matrices(columns), out=self.in_blocks(outputs, len(columns)))
        outputs += self.bias[:, None, None, None]
        return outputs, columns

    def outputs_shape(self, inputs: Floats) -> tuple[int, int, int, int]:
        """Return (filters, height, width, batch) for padded inputs (channels, height, width, batch)."""
        _, height, width, batch = inputs.shape
        return self.filters, height - self.kernel_size + 1, width - self.kernel_size + 1, batch

    def blocks(self, inputs: Floats) -> int:
        """Return the least number of equal blocks of output rows whose columns take at most COLUMNS_BLOCK_BYTES each."""
        _, height, width, batch = self.outputs_shape(inputs)
        row_bytes = inputs.itemsize * len(inputs) * self.kernel_size**2 * width * batch
        rows = next(r for r in range(height, 0, -1) if height % r == 0 and (r == 1 or r * row_bytes <= COLUMNS_BLOCK_BYTES))
        return height // rows

    def windows(self, maps: Floats, blocks: int) -> Floats:
        """Return a view of maps (channels, height, width, batch) as (blocks, channels, k, k, rows, width, batch).

        windows[b, c, i, j, y, x, n] is maps[c, b * rows + y + i, x + j, n]. So each number appears in up to k * k windows.
        """
        channels, height, width, batch = maps.shape
        k = self.kernel_size
        rows = (height - k + 1) // blocks
        channel, row, column, example = maps.strides
        shape = (blocks, channels, k, k, rows, width - k + 1, batch)
        return as_strided(maps, shape, (rows * row, channel, row, column, row, column, example))

    def in_blocks(self, outputs: Floats, blocks: int) -> Floats:
        """Return a view of outputs (filters, height, width, batch) as (blocks, filters, places of a block)."""
        return outputs.reshape(self.filters, blocks, -1).transpose(1, 0, 2)


class MaxPool2D(Layer):
    """Keep the largest value of each size x size square. The maps shrink, and small shifts of a feature matter less."""

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = whole_number("size", size)

    def build(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3 or min(input_shape[1:]) < self.size:
            raise ValueError(f"maxpool2d of size {self.size} needs maps at least that large, but its input is {input_shape}")
        channels, height, width = input_shape
        return (channels, height // self.size, width // self.size)

    def predict(self, inputs: Floats) -> Floats:
        first, *others = self.corners(inputs)
        largest = first.copy()
        for corner in others:
            np.maximum(largest, corner, out=largest)
        return largest

    def forward(self, inputs: Floats) -> Floats:
        self.inputs, self.outputs = inputs, self.predict(inputs)
        return self.outputs

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        # Only the largest value reached the output, so it gets the whole gradient; of equal values, the first one.
        grad_inputs = self._buffer("grad_inputs", self.inputs.shape, grad_outputs.dtype)
        _, height, width, _ = grad_inputs.shape
        grad_inputs[:, height - height % self.size :] = 0.0  # rows and columns outside all squares
        grad_inputs[:, :, width - width % self.size :] = 0.0
        undecided = np.ones(grad_outputs.shape, np.bool)
        for corner, grad_corner in zip(self.corners(self.inputs), self.corners(grad_inputs)):
            wins = undecided & (corner == self.outputs)
            np.multiply(grad_outputs, wins, out=grad_corner)
            undecided ^= wins
        return grad_inputs

    def corners(self, maps: Floats) -> list[Floats]:
        """Return size * size views of the maps: the top left values of all squares, the next ones to their right, …"""
        s = self.size
        _, height, width, _ = maps.shape
        bottom, right = height - height % s, width - width % s
        return [maps[:, i:bottom:s, j:right:s] for i in range(s) for j in range(s)]


def _as_matrices(columns: Floats) -> Floats:
    """Return a view of (blocks, channels, k, k, rows, width, batch) as (blocks, channels * k * k, places of a block)."""
    blocks, channels, k = columns.shape[:3]
    return columns.reshape(blocks, channels * k * k, -1)
