"""What /explain, /unit, /learn and /snapshots say beyond an answer: how the network came to it, how it would learn, and how it
did learn, all computed by digitnet."""

import base64
import math

import numpy as np
from digitnet.inspect.explanations import activations, logit_gradients, occlusion
from digitnet.inspect.training_steps import TrainingStep, train_on_image
from digitnet.inspect.units import inspect_unit
from digitnet.network import NO_DIGIT

from inference.predictor import Model

MEASURED = (
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "gradient_norm",
    "update_ratio",
    "dead_units",
)


def explanation(model: Model, image: np.ndarray, likeliest: int, with_occlusion: bool) -> dict:
    """Return the fields that schemas.Explanation adds to a Prediction.

    `image`: float32 (28, 28) in [0, 1]; `likeliest`: its likeliest digit.
    """
    network = model.network
    outputs, gradients = activations(network, image), logit_gradients(network, image)
    explained = {
        "input": image.astype(np.float64).tolist(),
        "layers": [{**_named(layer), "activations": _tensor(output)} for layer, output in zip(network.specification, outputs)],
        "logits": outputs[-1].astype(np.float64).tolist(),
        "temperature": model.decision.temperature,
        "saliency": gradients[likeliest].astype(np.float64).tolist(),
        "gradients": _tensor(gradients),
    }
    return explained | ({"occlusion": _tensor(occlusion(network, image))} if with_occlusion else {})


def learnt(model: Model, image: np.ndarray, lessons: list[tuple[int | None, float]]) -> dict:
    """Of an image float32 (28, 28) in [0, 1], and lessons of (label, learning rate): the fields of schemas.Learnt.

    ValueError for a lesson that the network has no class for.
    """
    network = model.network
    if network.classes <= NO_DIGIT and any(label is None for label, _ in lessons):
        raise ValueError("lessons: this network has no class for what is no digit")
    taught = train_on_image(network, image, [TrainingStep(NO_DIGIT if label is None else label, rate) for label, rate in lessons])
    return {
        "model_version": model.version,
        "losses": taught.losses,
        "before": model.read(image).answer(),
        "after": None if taught.logits is None else model.reading(image, taught.logits[None]).answer(),
        "diverged": taught.diverged,
        "layers": [
            {**_named(layer), **step._asdict(), "gradient": _tensor(step.gradient)}
            for layer, step in zip(network.specification, taught.layers)
        ],
        "known": _known(model, None if taught.diverged else taught.network),
    }


def unit(model: Model, image: np.ndarray, layer: int, place: list[int]) -> dict:
    """Of an image float32 (28, 28) in [0, 1]: the fields of schemas.UnitSeen. ValueError if there is no such unit."""
    seen = inspect_unit(model.network, image, layer, place)
    return {
        "model_version": model.version,
        "value": seen.value,
        "inputs": _tensor(seen.inputs),
        "weights": None if seen.weights is None else _tensor(seen.weights),
        "bias": seen.bias,
        "field": seen.field._asdict(),
    }


def timeline(model: Model) -> dict:
    """How a model with snapshots learnt: the fields of schemas.Snapshots."""
    snapshots, epochs = model.snapshots, model.card.get("training", {}).get("epochs")
    return {
        "model_version": model.version,
        "epochs": epochs if isinstance(epochs, int) else None,
        "layers": [_named(layer)["name"] for layer in model.network.specification],
        "mapped": snapshots.mapped.tolist(),
        "moments": [
            {
                "step": int(snapshots.step[moment]),
                **{name: _finite(getattr(snapshots, name)[moment]) for name in MEASURED},
                "filters": _tensor(_filters(model.at(moment).network)),
                "points": _tensor(snapshots.map_points[moment]),
            }
            for moment in range(len(snapshots))
        ],
    }


def at_each_moment(model: Model, image: np.ndarray) -> dict:
    """Of an image float32 (28, 28) in [0, 1], and a model with snapshots: the fields of schemas.SnapshotReadings."""
    readings = []
    for moment in range(len(model.snapshots)):
        then = model.at(moment)
        features = then.network.predict_features(image[None])
        said = then.reading(image, then.network.logits_of(features)).answer()
        readings.append({**said, "place": model.snapshots.plane(moment).place(features)[0].tolist()})
    return {"model_version": model.version, "readings": readings}


def _known(model, pupil):
    """What model and pupil, None where it diverged, make of the digits that the model carries."""
    before = _read_golden(model)
    after = [None] * len(before) if pupil is None else _read_golden(model._replace(network=pupil))
    return [
        {"input": _tensor(image), "before": said_before, "after": said_after}
        for image, said_before, said_after in zip(model.golden, before, after)
    ]


def _read_golden(model):
    """All in one pass, which takes less than half of the time of one by one."""
    logits = model.network.predict_logits(model.golden)
    return [model.reading(image, of_image[None]).answer() for image, of_image in zip(model.golden, logits)]


def _filters(network):
    """The weights of the first layer that has any, each unit's in the shape of what it looks at."""
    first = next(layer for layer in network.layers if layer.parameter_count)
    side = math.isqrt(first.weights.shape[1])  # the image has one channel
    return first.weights.reshape(-1, side, side)


def _finite(values):
    """For JSON, which has no NaN: null stands for what was not measured."""
    return [_finite(value) for value in values] if np.ndim(values) else float(values) if np.isfinite(values) else None


def _named(layer):
    return {"name": layer if isinstance(layer, str) else next(iter(layer)), "declaration": layer}


def _tensor(array):
    """Fifty thousand numbers as text would take longer to write than to compute."""
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
