"""The layers: what each one computes, and how the gradient of the loss passes back through it.

A layer is a function y = f(x) with two directions:

    forward    y from x, remembering what backward needs
    backward   dL/dx from dL/dy by the chain rule, and dL/dw for the layer's own parameters

Written out once for each layer, that is all of backpropagation (Rumelhart, Hinton and Williams, Nature 323, 1986).

Shapes: the batch is the LAST axis. Feature maps are (channels, height, width, batch), vectors are (features, batch), and
each column is one example. So a layer reads like the textbook's y = W x + b, and NumPy's inner loops run over long
contiguous rows (A. Krizhevsky's cuda-convnet has the same order for the same reason).

`predict` computes the same as `forward` and remembers nothing: several threads may call it at once.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from digitnet.arrays import Floats, Shape


class Layer:
    """The common part of all layers. A layer without parameters defines only predict and backward."""

    generator: np.random.Generator | None = None  # source of randomness in forward, for a layer that needs one
    weights_shape: Shape = ()  # (): the layer has no parameters
    inputs: Floats  # of the last forward
    weights: Floats
    bias: Floats
    grad_weights: Floats
    grad_bias: Floats

    def __init__(self) -> None:
        self._buffers: dict[str, Floats] = {}

    def build(self, input_shape: Shape) -> Shape:
        """Set weights_shape for one example's input and return the shape of its output, both without the batch axis.

        ValueError if such an input does not fit.
        """
        return input_shape

    def workspace(self, input_shape: Shape, output_shape: Shape) -> int:
        """Return how many numbers one example takes in memory, besides its input and output."""
        return 0

    @property
    def parameter_count(self) -> int:
        """Count the weights, and one bias for each output channel or unit."""
        return math.prod(self.weights_shape) + self.weights_shape[0] if self.weights_shape else 0

    def bind(self, parameters: Floats, gradients: Floats) -> None:
        """Make weights, bias and their gradients views of this layer's part of the network's two flat vectors."""
        split = parameters.size - self.weights_shape[0]
        self.weights, self.bias = parameters[:split].reshape(self.weights_shape), parameters[split:]
        self.grad_weights, self.grad_bias = gradients[:split].reshape(self.weights_shape), gradients[split:]

    def initialize(self, generator: np.random.Generator) -> None:
        """Draw weights by He's rule: a variance of 2 / fan_in keeps the signal's size through ReLU (He et al., 2015)."""
        fan_in = math.prod(self.weights_shape[1:])
        self.weights[:] = generator.normal(0.0, math.sqrt(2.0 / fan_in), self.weights_shape)
        self.bias[:] = 0.0

    def predict(self, inputs: Floats) -> Floats:
        raise NotImplementedError

    def forward(self, inputs: Floats) -> Floats:
        self.inputs = inputs
        return self.predict(inputs)

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        """Take dL/d(outputs), set grad_weights and grad_bias, and return dL/d(inputs), which the first layer may skip."""
        raise NotImplementedError

    def _with(self, weights: ArrayLike, bias: ArrayLike) -> Self:
        """Bind the layer to float64 vectors of its own with these values."""
        parameters = np.append(weights, bias).astype(np.float64)
        self.bind(parameters, np.zeros_like(parameters))
        return self

    def _buffer(self, name: str, shape: Shape, dtype: DTypeLike) -> Floats:
        """Return memory that is kept from batch to batch: new megabytes each time would cost more than the arithmetic."""
        buffer = self._buffers.get(name)
        if buffer is None or buffer.shape != shape or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(shape, dtype)
        return buffer


class Dense(Layer):
    """Every output is a weighted sum of every input: y = W x + b.  W is (units, features)."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = whole_number("units", units)

    @classmethod
    def from_weights(cls, weights: ArrayLike, bias: ArrayLike) -> Self:
        """Make a layer of weights (units, features) and a bias (units,)."""
        units, features = np.shape(weights)
        layer = cls(units)
        layer.build((features,))
        return layer._with(weights, bias)

    def build(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 1:
            raise ValueError(f"dense needs a vector for each example, but its input is {input_shape}: put flatten before it")
        self.weights_shape = (self.units, input_shape[0])
        return (self.units,)

    def predict(self, inputs: Floats) -> Floats:
        return self.weights @ inputs + self.bias[:, None]

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        # dL/dW = dL/dy x^T, summed over the batch by the product; dL/db = dL/dy, summed over the batch; dL/dx = W^T dL/dy
        np.matmul(grad_outputs, self.inputs.T, out=self.grad_weights)
        np.sum(grad_outputs, axis=1, out=self.grad_bias)
        return self.weights.T @ grad_outputs if needs_grad_inputs else None


class ReLU(Layer):
    """y = max(x, 0): the bend between two linear layers, without which they would be one linear layer."""

    def predict(self, inputs: Floats) -> Floats:
        return np.maximum(inputs, 0.0)

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        return grad_outputs * (self.inputs > 0.0)  # dy/dx is 1 where x was positive and 0 elsewhere


class Flatten(Layer):
    """(channels, height, width) -> one vector of features: the same numbers, row after row."""

    def build(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def predict(self, inputs: Floats) -> Floats:
        return inputs.reshape(-1, inputs.shape[-1])

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        return grad_outputs.reshape(self.inputs.shape)


class Dropout(Layer):
    """In training, zero each input with probability `rate` and scale up the others, so that their sum stays the same on
    average: no unit can rely on a single other one (Srivastava et al., "Dropout", 2014).

    `generator` draws anew in each forward. Without a generator, and in predict, all inputs pass unchanged.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0.0 <= rate < 1.0:
            raise ValueError(f"rate must be a number from 0 to below 1, not {rate!r}")
        self.rate = rate

    def predict(self, inputs: Floats) -> Floats:
        return inputs

    def forward(self, inputs: Floats) -> Floats:
        self.factors = np.ones(1, inputs.dtype)
        if self.generator is not None:
            kept = self.generator.random(inputs.shape, np.float32) >= self.rate
            self.factors = kept * inputs.dtype.type(1.0 / (1.0 - self.rate))
        return inputs * self.factors

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        return grad_outputs * self.factors


def whole_number(name: str, value: int, at_least: int = 1) -> int:
    """Return the value. ValueError, which names it, for anything but a large enough int."""
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value!r}")
    return value
