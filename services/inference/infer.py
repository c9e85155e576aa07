"""Open Inference Protocol v2: from a request's tensor to images, and from their predictions to tensors."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from digitnet.decision import Predictions
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import IMAGE_SIDE
from numpy.typing import NDArray

from inference.errors import ApiError, invalid_request
from inference.predictor import Model
from inference.schemas.infer import INPUT, MAX_IMAGES, OUTPUTS, InferInput, InferRequest
from inference.schemas.requests import PIXELS, ROUNDING

IMAGE_SHAPES = (IMAGE_SIDE, IMAGE_SIDE), (PIXELS,), (1, IMAGE_SIDE, IMAGE_SIDE)
DTYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "UINT8": np.dtype(np.uint8)}
NO_DIGIT_LABEL = -1

Pixels = NDArray[Any]  # (n, 28, 28), uint8, or float32 in [0, 1]


def pixels_of(request: InferRequest, binary: bytes) -> Pixels:
    """Return the images of a request. `binary`: the bytes after its JSON. Raise a 422 for other tensors."""
    (given,) = request.inputs
    if given.name != INPUT:
        raise _wrong("name", f'the input is called "{INPUT}"')
    if tuple(given.shape[1:]) not in IMAGE_SHAPES:
        raise _wrong("shape", f"images must be [n, {IMAGE_SIDE}, {IMAGE_SIDE}], not {given.shape}")
    if given.shape[0] > MAX_IMAGES:
        raise _wrong("shape", f"a request may have at most {MAX_IMAGES} images, not {given.shape[0]}: send them in parts")
    numbers = _from_json(given) if given.data is not None else _from_bytes(given, binary)
    if numbers.size != math.prod(given.shape):
        raise _wrong("data", f"the shape needs {math.prod(given.shape)} numbers, not {numbers.size}")
    largest = 255 if given.datatype == "UINT8" else 1.0
    rounding = 0.0 if given.datatype == "UINT8" else ROUNDING
    if not (numbers.min() >= -rounding and numbers.max() <= largest + rounding):  # NaN fails this form of the check too
        raise _wrong("data", f"the numbers of {given.datatype} must be from 0 to {largest:g}")
    return numbers.clip(0, largest).astype(DTYPES[given.datatype]).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)


def _from_json(given: InferInput) -> NDArray[Any]:
    try:
        numbers = np.asarray(given.data)
    except ValueError as error:  # rows of different lengths
        raise _wrong("data", "the numbers must be flat or nested as in the shape") from error
    if numbers.dtype.kind not in ("iu" if given.datatype == "UINT8" else "iuf"):
        raise _wrong("data", f"the data must be numbers of {given.datatype}")
    return numbers


def _from_bytes(given: InferInput, binary: bytes) -> NDArray[Any]:
    size, dtype = given.parameters.get("binary_data_size"), DTYPES[given.datatype]
    if size != len(binary) or size % dtype.itemsize:
        raise _wrong("data", "send the data, or binary_data_size bytes after the JSON and Inference-Header-Content-Length")
    return np.frombuffer(binary, dtype)


def _wrong(field: str, detail: str) -> ApiError:
    return invalid_request(f"inputs.0.{field}: {detail}", errors=[{"pointer": f"#/inputs/0/{field}", "detail": detail}])


def predictions(model: Model, pixels: Pixels) -> Predictions:
    """Return the model's predictions for the images, as /predict makes them of a vector."""
    images = np.stack([image_from_pixels(each) for each in pixels])
    network = model.plan if model.plan and len(images) == 1 else model.network
    return model.decision.predictions(network.predict_logits(images), images)


def tensors(predicted: Predictions, names: list[str] | None) -> list[Mapping[str, Any]]:
    """Return the named outputs, or all. Raise a 422 for an unknown name."""
    values = {
        "probabilities": predicted.probabilities,
        "label": np.where(predicted.is_digit, predicted.digit, NO_DIGIT_LABEL),
        "no_digit": predicted.no_digit,
    }
    if unknown := [name for name in names or () if name not in values]:
        raise invalid_request(f"outputs: there is no output {unknown[0][:40]!r}, only {', '.join(values)}")
    types = {output.name: output.datatype for output in OUTPUTS}
    return [
        {"name": name, "datatype": types[name], "shape": list(values[name].shape), "data": values[name].ravel().tolist()}
        for name in names or values
    ]
