"""The network: layers in a row, with all their parameters in one flat vector.

    logits = layer_n(… layer_2(layer_1(images)))             forward
    dL/dparameters, from the last layer back to the first    backward

Outside the network the batch is the first axis, as in data. Inside, it is the last axis; layers.py says why.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from digitnet.arrays import IMAGE_SIDE, Array, Floats, Shape
from digitnet.convolution import Conv2D, MaxPool2D
from digitnet.layers import Dense, Dropout, Flatten, Layer, ReLU
from digitnet.losses import softmax

IMAGE_SHAPE = (1, IMAGE_SIDE, IMAGE_SIDE)  # channels, height, width
DIGITS = 10
NO_DIGIT = 10  # the class "no digit", in a network with 11 classes

# A larger network raises an error before it allocates memory. Within the limit, a batch of 128 images takes up to 512 MiB.
MOST_LAYERS, MOST_NUMBERS = 100, 2**20

Declaration = str | Mapping[str, Mapping[str, object]]

LAYERS: dict[str, Callable[..., Layer]] = {
    "dense": Dense,
    "conv2d": Conv2D,
    "maxpool2d": MaxPool2D,
    "relu": ReLU,
    "flatten": Flatten,
    "dropout": Dropout,
}


class Network:
    """A feed-forward network, declared as a list of layers such as

        ["flatten", {"dense": {"units": 50}}, "relu", {"dense": {"units": 10}}]

    `parameters` and `gradients` are flat vectors of `dtype`; the layers' weights and biases are views of them. Networks made
    with the same `parameters` share them (see `replica`). ValueError names a layer that does not fit, or a network that is too
    large.
    """

    def __init__(
        self, specification: Sequence[Declaration], dtype: DTypeLike = np.float32, parameters: Floats | None = None
    ) -> None:
        self.specification, self.dtype = list(specification), cast("np.dtype[np.floating]", np.dtype(dtype))
        if len(self.specification) > MOST_LAYERS:
            raise ValueError(f"a network may have at most {MOST_LAYERS} layers, but this one has {len(self.specification)}")
        self.layers: list[Layer] = []
        self.shapes: list[Shape] = [IMAGE_SHAPE]  # of the image and of each layer's output
        numbers = 0
        for place, declaration in enumerate(self.specification, start=1):
            try:
                layer = _make_layer(declaration)
                shape = layer.build(self.shapes[-1])
                numbers += math.prod(shape) + layer.workspace(self.shapes[-1], shape)
                if numbers > MOST_NUMBERS:
                    raise ValueError(
                        f"with this layer, the network needs more than {MOST_NUMBERS:,} numbers for one image: "
                        "use fewer filters or units, less padding, or earlier pooling"
                    )
            except ValueError as error:
                raise ValueError(f"layer {place} ({str(declaration)[:200]}): {error}") from error
            self.layers.append(layer)
            self.shapes.append(shape)
        if self.shapes[-1] not in ((DIGITS,), (DIGITS + 1,)):
            raise ValueError(
                f"a network must end in {DIGITS} units, or in {DIGITS + 1} with one for no digit, but ends in {self.shapes[-1]}"
            )
        (self.classes,) = self.shapes[-1]

        count = sum(layer.parameter_count for layer in self.layers)
        self.parameters: Floats = np.zeros(count, self.dtype) if parameters is None else parameters
        if self.parameters.shape != (count,) or self.parameters.dtype != self.dtype:
            raise ValueError(f"this network has {count} parameters, but got {self.parameters.shape} {self.parameters.dtype}")
        self.gradients: Floats = np.zeros(count, self.dtype)
        # The slice of each layer in the two vectors; it is empty for a layer without parameters.
        ends = accumulate(layer.parameter_count for layer in self.layers)
        self.parts = [slice(end - layer.parameter_count, end) for layer, end in zip(self.layers, ends)]
        for layer, part in zip(self.layers, self.parts):
            if layer.parameter_count:
                layer.bind(self.parameters[part], self.gradients[part])

    def initialize(self, generator: np.random.Generator) -> None:
        """Draw new weights. The same state of the generator gives the same weights."""
        for layer in self.layers:
            if layer.parameter_count:
                layer.initialize(generator)

    def replica(self) -> "Network":
        """Return a network for another thread: it shares the parameters, and has its own gradients and buffers."""
        return Network(self.specification, self.dtype, self.parameters)

    def copy(self) -> "Network":
        """Return a network with a copy of the parameters."""
        return Network(self.specification, self.dtype, self.parameters.copy())

    def layer_norms(self, values: Floats) -> NDArray[np.float64]:
        """Return the Euclidean norm of each layer's part of a vector like `parameters`: (layers,), NaN without parameters."""
        parts = [values[part].astype(np.float64) for part in self.parts]
        return np.array([np.linalg.norm(part) if part.size else np.nan for part in parts])

    def forward(self, images: Floats) -> Floats:
        """Turn images (batch, 28, 28) in [0, 1] into logits (classes, batch). Each layer stores what backward needs."""
        activations = self._batch_last(images)
        for layer in self.layers:
            activations = layer.forward(activations)
        return activations

    def backward(self, grad_logits: Floats) -> None:
        """Set `gradients` from dL/dlogits (classes, batch), after forward."""
        first = next(place for place, layer in enumerate(self.layers) if layer.parameter_count)
        for _ in self.backward_through_layers(grad_logits, down_to=first + 1):  # earlier layers have no parameters
            pass

    def backward_to_images(self, grad_logits: Floats) -> Floats:
        """Set `gradients` from dL/dlogits (classes, batch), after forward, and return dL/dimages (batch, 28, 28)."""
        *_, grad_images = self.backward_through_layers(grad_logits, down_to=0)
        return np.moveaxis(cast(Floats, grad_images), -1, 0).reshape(-1, *IMAGE_SHAPE[1:])

    def backward_through_layers(self, grad_logits: Floats, down_to: int = 1) -> Iterator[Floats | None]:
        """Run backward through one layer at a time, from the last to the first; yield dL/d(inputs) of each, batch last.

        Below the layer `down_to`, yield None. The layer just below it still sets its parameters' gradients. Layers reuse their
        memory, so use each array before the next step.
        """
        grad: Floats | None = grad_logits
        for place, layer in reversed(list(enumerate(self.layers))):
            grad = None if grad is None else layer.backward(grad, needs_grad_inputs=place >= down_to)
            yield grad

    def outputs(self, images: Floats) -> Iterator[Floats]:
        """Yield each layer's output for images (batch, 28, 28) in [0, 1], batch last; the last output is the logits.

        It stores nothing, so several threads may call it at once.
        """
        activations = self._batch_last(images)
        for layer in self.layers:
            activations = layer.predict(activations)
            yield activations

    def predict_logits(self, images: Floats, batch_size: int = 128) -> Floats:
        """Turn images (n, 28, 28) in [0, 1] into logits (n, classes). Several threads may call it at once."""
        return self._predict(self.layers, images, batch_size)

    def predict_features(self, images: Floats, batch_size: int = 128) -> Floats:
        """Turn images (n, 28, 28) in [0, 1] into features (n, width), the input of the last layer."""
        return self._predict(self.layers[:-1], images, batch_size)

    def logits_of(self, features: Floats) -> Floats:
        """Turn features (n, width) into logits (n, classes)."""
        return self.layers[-1].predict(features.T).T

    def predict(self, images: Floats, batch_size: int = 128) -> Floats:
        """Turn images (n, 28, 28) in [0, 1] into probabilities (n, classes), each row summing to 1."""
        return softmax(self.predict_logits(images, batch_size).T).T

    def _predict(self, layers: list[Layer], images: Floats, batch_size: int) -> Floats:
        outputs = np.empty((len(images), math.prod(self.shapes[len(layers)])), self.dtype)
        for start in range(0, len(images), batch_size):
            activations = self._batch_last(images[start : start + batch_size])
            for layer in layers:
                activations = layer.predict(activations)
            outputs[start : start + batch_size] = activations.reshape(-1, activations.shape[-1]).T
        return outputs

    def _batch_last(self, images: Floats) -> Floats:
        images = np.asarray(images, self.dtype)
        check_images(images)
        return np.ascontiguousarray(images.transpose(1, 2, 0)).reshape(*IMAGE_SHAPE, len(images))


def check_images(images: Array) -> None:
    """Raise ValueError unless the images are (batch, 28, 28)."""
    if images.ndim != 3 or images.shape[1:] != IMAGE_SHAPE[1:]:
        raise ValueError(f"images must be (batch, 28, 28), not {images.shape}")


def _make_layer(declaration: Declaration) -> Layer:
    """Return the layer of a declaration such as "relu" or {"dense": {"units": 10}}. ValueError for a wrong declaration."""
    name: object = declaration
    options: object = {}
    if isinstance(declaration, dict) and len(declaration) == 1:
        ((name, options),) = declaration.items()
    if not isinstance(name, str) or name not in LAYERS:
        raise ValueError(f"unknown layer; use one of {', '.join(LAYERS)}")
    if not isinstance(options, dict):
        raise ValueError(f"the options of {name} must be names and values, not {options!r}")
    try:
        return LAYERS[name](**options)
    except TypeError as error:
        raise ValueError(f"{name} does not take these options ({error})") from error
