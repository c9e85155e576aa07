"""Layers: each computes an output from its input, and passes the gradient of the loss back from output to input.

A layer is a function y = f(x) with two directions:

    forward    y from x; it keeps the values that backward needs
    backward   dL/dx from dL/dy by the chain rule, and dL/dw for the layer's own parameters

These two, once for each layer, are all of backpropagation (Rumelhart, Hinton and Williams, Nature 323, 1986).

Shapes: the batch is the LAST axis. Feature maps are (channels, height, width, batch), vectors are (features, batch), and
each column is one example. So the code reads like the textbook's y = W x + b, and NumPy's inner loops run over long
contiguous rows (A. Krizhevsky's cuda-convnet has the same order for the same reason).

`predict` returns the same output as `forward` and stores nothing, so several threads may call it at once.
"""

import math
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from digitnet.arrays import Floats, Shape


class Layer:
    """The base class of all layers. A layer without parameters defines only predict and backward."""

    generator: np.random.Generator | None = None  # randomness for forward; only Dropout uses it
    weights_shape: Shape = ()  # (): the layer has no parameters
    inputs: Floats  # of the last forward
    weights: Floats
    bias: Floats
    grad_weights: Floats
    grad_bias: Floats

    def __init__(self) -> None:
        self._buffers: dict[str, Floats] = {}

    def build(self, input_shape: Shape) -> Shape:
        """Set weights_shape for this input shape, and return the output shape. Both lack the batch axis.

        ValueError if the layer cannot take such an input.
        """
        return input_shape

    def workspace(self, input_shape: Shape, output_shape: Shape) -> int:
        """Return the count of numbers that one example keeps in memory, without its input and output."""
        return 0

    @property
    def parameter_count(self) -> int:
        """The number of weights, plus one bias for each output channel or unit."""
        return math.prod(self.weights_shape) + self.weights_shape[0] if self.weights_shape else 0

    def bind(self, parameters: Floats, gradients: Floats) -> None:
        """Make weights, bias and their gradients views of `parameters` and `gradients`, flat vectors (parameter_count,)."""
        split = parameters.size - self.weights_shape[0]
        self.weights, self.bias = parameters[:split].reshape(self.weights_shape), parameters[split:]
        self.grad_weights, self.grad_bias = gradients[:split].reshape(self.weights_shape), gradients[split:]

    def initialize(self, generator: np.random.Generator) -> None:
        """Draw weights with variance 2 / fan_in, which keeps the signal's scale through ReLU (He et al., 2015); zero the bias."""
        fan_in = math.prod(self.weights_shape[1:])
        self.weights[:] = generator.normal(0.0, math.sqrt(2.0 / fan_in), self.weights_shape)
        self.bias[:] = 0.0

    def predict(self, inputs: Floats) -> Floats:
        """Return the outputs for inputs with the batch as last axis."""
        raise NotImplementedError

    def forward(self, inputs: Floats) -> Floats:
        """Return the outputs like predict, and store the values that backward needs."""
        self.inputs = inputs
        return self.predict(inputs)

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        """Set grad_weights and grad_bias from dL/d(outputs), summed over the batch; return dL/d(inputs) if needed."""
        raise NotImplementedError

    def _with(self, weights: ArrayLike, bias: ArrayLike) -> Self:
        """Bind the layer to new float64 vectors with these values."""
        parameters = np.append(weights, bias).astype(np.float64)
        self.bind(parameters, np.zeros_like(parameters))
        return self

    def _buffer(self, name: str, shape: Shape, dtype: DTypeLike) -> Floats:
        """Return memory that all batches reuse, because to allocate megabytes for each costs more than the arithmetic."""
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
    """Turn feature maps (channels, height, width) into one vector of features: the same numbers, row after row."""

    def build(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def predict(self, inputs: Floats) -> Floats:
        return inputs.reshape(-1, inputs.shape[-1])

    def backward(self, grad_outputs: Floats, needs_grad_inputs: bool = True) -> Floats | None:
        return grad_outputs.reshape(self.inputs.shape)


class Dropout(Layer):
    """In training, zero each input with probability `rate`, and multiply the others by 1 / (1 - rate).

    The expected sum stays the same, and no unit can rely on one other unit (Srivastava et al., "Dropout", 2014). `generator`
    draws new zeros in each forward. Without a generator, and in predict, all inputs pass unchanged.
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
    """Return the value. ValueError names it unless it is an int of at least `at_least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {value!r}")
    return value
