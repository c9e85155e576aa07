"""The network: layers in a row, all their parameters in one flat vector.

    logits = layer_n(… layer_2(layer_1(images)))          forward
    dL/dparameters, from the last layer back to the first    backward

From outside the batch comes first, as data does; inside it is the last axis (layers.py says why).
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from digitnet.layers import LAYERS, Layer
from digitnet.losses import softmax

IMAGE_SHAPE = (1, 28, 28)  # channels, height, width
DIGITS = 10
NO_DIGIT = 10  # the class for images without a digit, in a network that has one

# A larger network is refused before it allocates memory: so a batch of 128 images stays within 512 MiB of float32.
MOST_LAYERS, MOST_NUMBERS = 100, 2**20


class Network:
    """A feed-forward network declared as a list of layers, such as

        ["flatten", {"dense": {"units": 50}}, "relu", {"dense": {"units": 10}}]

    `parameters` and `gradients` are flat vectors of `dtype`; the layers' weights and biases are views into them. A network
    made with the parameters of another shares them (see `replica`).
    """

    def __init__(
        self,
        specification: Sequence[str | dict],
        dtype=np.float32,
        parameters: np.ndarray | None = None,
    ):
        self.specification, self.dtype = list(specification), np.dtype(dtype)
        self.layers, self.shapes = [], [IMAGE_SHAPE]
        if len(self.specification) > MOST_LAYERS:
            raise ValueError(f"a network may have at most {MOST_LAYERS} layers, but this one has {len(self.specification)}")
        numbers = 0
        for place, declaration in enumerate(self.specification, start=1):
            try:
                layer = _make_layer(declaration)
                shape = layer.build(self.shapes[-1])
                numbers += math.prod(shape) + layer.workspace(self.shapes[-1], shape)
                if numbers > MOST_NUMBERS:
                    raise ValueError(
                        f"up to here the layers compute more than {MOST_NUMBERS:,} numbers for one image: "
                        "use fewer filters or units, less padding, or pool earlier"
                    )
            except ValueError as error:
                raise ValueError(f"layer {place} ({str(declaration)[:200]}): {error}") from error
            self.layers.append(layer)
            self.shapes.append(shape)
        if self.shapes[-1] not in ((DIGITS,), (DIGITS + 1,)):
            raise ValueError(
                f"a network must end in {DIGITS} logits, one for each digit, or in one more for what is no digit, "
                f"but this one ends in {self.shapes[-1]}"
            )
        (self.classes,) = self.shapes[-1]

        count = sum(layer.parameter_count for layer in self.layers)
        self.parameters = np.zeros(count, self.dtype) if parameters is None else parameters
        if self.parameters.shape != (count,) or self.parameters.dtype != self.dtype:
            raise ValueError(
                f"this network has {count} parameters, but was given {self.parameters.shape} {self.parameters.dtype}"
            )
        self.gradients = np.zeros(count, self.dtype)
        # Where each layer's parameters are in the two vectors; an empty part for a layer without any.
        self.parts, start = [], 0
        for layer in self.layers:
            part = slice(start, start + layer.parameter_count)
            self.parts.append(part)
            if layer.parameter_count:
                layer.bind(self.parameters[part], self.gradients[part])
            start = part.stop

    def initialize(self, generator: np.random.Generator) -> None:
        """Draw fresh weights; the same generator state gives the same weights."""
        for layer in self.layers:
            if layer.parameter_count:
                layer.initialize(generator)

    def replica(self) -> "Network":
        """The same network with the same parameter vector, but gradients and memory of its own: for another thread."""
        return Network(self.specification, self.dtype, self.parameters)

    def layer_norms(self, values: np.ndarray) -> np.ndarray:
        """The Euclidean norm of each layer's part of a vector shaped as `parameters`, float64 (layers,); NaN for a layer without
        parameters."""
        return np.array([
            np.linalg.norm(values[part].astype(np.float64)) if layer.parameter_count else np.nan
            for layer, part in zip(self.layers, self.parts)
        ])  # fmt: skip

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Images (batch, 28, 28) -> logits (classes, batch), each layer remembering what backward needs."""
        activations = self._batch_last(images)
        for layer in self.layers:
            activations = layer.forward(activations)
        return activations

    def backward(self, grad_logits: np.ndarray, needs_grad_images: bool = False) -> np.ndarray | None:
        """dL/dlogits (classes, batch) -> fills `gradients`; dL/dpictures (batch, 28, 28) where asked for. After forward."""
        if needs_grad_images:
            grad_images = _last(self.backward_through_layers(grad_logits, down_to=0))
            return np.moveaxis(grad_images, -1, 0).reshape(-1, *IMAGE_SHAPE[1:])
        first = next(place for place, layer in enumerate(self.layers) if layer.parameter_count)
        _last(self.backward_through_layers(grad_logits, down_to=first + 1))  # what comes before it has nothing to learn
        return None

    def backward_through_layers(self, grad_logits: np.ndarray, down_to: int = 1) -> Iterator[np.ndarray | None]:
        """`backward`, one layer a turn: dL/dx of what the last layer was given, then of the one before, …, batch last.

        Of what layers below this number are given it is None; the parameters of the layer just below get theirs all the same.
        Each is good until the next turn: layers write into the same memory again.
        """
        grad = grad_logits
        for place, layer in reversed(list(enumerate(self.layers))):
            grad = None if grad is None else layer.backward(grad, needs_grad_inputs=place >= down_to)
            yield grad

    def outputs(self, images: np.ndarray) -> Iterator[np.ndarray]:
        """Images (batch, 28, 28) -> what each layer gives out, first to last, batch last: the last are the logits.

        Remembers nothing: safe from several threads at once.
        """
        return _flow(self.layers, self._batch_last(images))

    def predict_logits(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> logits (n, classes). Remembers nothing: safe from several threads at once."""
        return self._predict(self.layers, images, batch_size)

    def predict_features(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> (n, features): what the last layer reads off the logits from."""
        return self._predict(self.layers[:-1], images, batch_size)

    def logits_of(self, features: np.ndarray) -> np.ndarray:
        """What predict_features gave, (n, features) -> logits (n, classes)."""
        return self.layers[-1].predict(features.T).T

    def predict(self, images: np.ndarray, batch_size: int = 128) -> np.ndarray:
        """Images (n, 28, 28) in [0, 1] -> probabilities (n, classes), each row summing to 1."""
        return softmax(self.predict_logits(images, batch_size).T).T

    def read(self, images: np.ndarray, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Images (n, 28, 28) in [0, 1] -> what a digit would be, and whether it is one, as `reading` says."""
        return reading(self.predict_logits(images), temperature)

    def _predict(self, layers, images, batch_size):
        outputs = np.empty((len(images), math.prod(self.shapes[len(layers)])), self.dtype)
        for start in range(0, len(images), batch_size):
            activations = _last(_flow(layers, self._batch_last(images[start : start + batch_size])))
            outputs[start : start + batch_size] = activations.reshape(-1, activations.shape[-1]).T
        return outputs

    def _batch_last(self, images):
        images = np.asarray(images, self.dtype)
        check_images(images)
        return np.ascontiguousarray(images.transpose(1, 2, 0)).reshape(*IMAGE_SHAPE, len(images))


def check_images(images: np.ndarray) -> None:
    """ValueError unless they are (batch, 28, 28)."""
    if images.ndim != 3 or images.shape[1:] != IMAGE_SHAPE[1:]:
        raise ValueError(f"pictures must be (batch, 28, 28), not {images.shape}")


def _flow(layers, activations):
    for layer in layers:
        activations = layer.predict(activations)
        yield activations


def _last(values):
    """The others are let go of as they come: what layers give out is large."""
    (last,) = deque(values, maxlen=1)
    return last


def reading(logits: np.ndarray, temperature: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, classes) -> the ten digits' probabilities if it is a digit, (n, 10), each row summing to 1; and the
    probability that it is none, (n,), which is 0 where there is no class for that.

    A network is surer than it should be; a `temperature` above 1 makes it less sure of its digit, and changes none.
    """
    columns = logits.T
    no_digit = softmax(columns)[NO_DIGIT] if len(columns) > DIGITS else np.zeros(len(logits), logits.dtype)
    return softmax(columns[:DIGITS] / logits.dtype.type(temperature)).T, no_digit


def _make_layer(declaration: str | dict) -> Layer:
    """A declaration such as "relu" or {"dense": {"units": 10}} -> the layer; ValueError says what is wrong with it."""
    name, options = declaration, {}
    if isinstance(declaration, dict) and len(declaration) == 1:
        ((name, options),) = declaration.items()
    if not isinstance(name, str) or name not in LAYERS:
        raise ValueError(f"no such layer; there are {', '.join(LAYERS)}")
    if not isinstance(options, dict):
        raise ValueError(f"the options of {name} must be names and values, not {options!r}")
    try:
        return LAYERS[name](**options)
    except TypeError as error:
        raise ValueError(f"{name} does not take these options ({error})") from error
