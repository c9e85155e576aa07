"""What /explain and /learn say beyond an answer: how the network came to it, and how it would learn, all computed by digitnet."""

import base64

import numpy as np
from digitnet.explaining import activations, logit_gradients, occlusion
from digitnet.network import NO_DIGIT
from digitnet.teaching import Lesson, teach

from inference.predictor import Model


def explanation(model: Model, picture: np.ndarray, digit: int, with_occlusion: bool) -> dict:
    """Of a picture float32 (28, 28) in [0, 1] that was read as this digit: what schemas.Explanation has beyond a Prediction."""
    network = model.network
    outputs, gradients = activations(network, picture), logit_gradients(network, picture)
    explained = {
        "input": picture.astype(np.float64).tolist(),
        "layers": [{**_named(layer), "activations": _tensor(output)} for layer, output in zip(network.specification, outputs)],
        "logits": outputs[-1].astype(np.float64).tolist(),
        "temperature": model.temperature,
        "saliency": gradients[digit].astype(np.float64).tolist(),
        "gradients": _tensor(gradients),
    }
    return explained | ({"occlusion": _tensor(occlusion(network, picture))} if with_occlusion else {})


def learnt(model: Model, picture: np.ndarray, lessons: list[tuple[int | None, float]]) -> dict:
    """Of a picture float32 (28, 28) in [0, 1], and lessons of (label, learning rate): the fields of schemas.Learnt.

    ValueError for a lesson that the network has no class for.
    """
    network = model.network
    if network.classes <= NO_DIGIT and any(label is None for label, _ in lessons):
        raise ValueError("lessons: this network has no class for what is no digit")
    taught = teach(network, picture, [Lesson(NO_DIGIT if label is None else label, rate) for label, rate in lessons])
    return {
        "model_version": model.version,
        "losses": taught.losses,
        "before": _said(model.read(picture)),
        "after": None if taught.logits is None else _said(model.reading(picture, taught.logits[None])),
        "diverged": taught.diverged,
        "layers": [
            {**_named(layer), **step._asdict(), "gradient": _tensor(step.gradient)}
            for layer, step in zip(network.specification, taught.layers)
        ],
    }


def _said(reading):
    return {"digit": reading.digit, "is_digit": reading.is_digit, "probabilities": reading.probabilities.tolist()}


def _named(layer):
    return {"name": layer if isinstance(layer, str) else next(iter(layer)), "declaration": layer}


def _tensor(array):
    """Fifty thousand numbers as text would take longer to write than to compute."""
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
