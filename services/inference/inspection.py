"""Inspection: digitnet's explanations, units, training steps and snapshots as fields for JSON."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from digitnet.inspect.explanations import activations, logit_gradients, occlusion
from digitnet.inspect.snapshots import Snapshots
from digitnet.inspect.training_steps import TrainingStep, train_on_image
from digitnet.inspect.units import inspect_unit
from digitnet.network import NO_DIGIT, Network
from numpy.typing import NDArray

from inference.predictor import Image, Model
from inference.schemas.responses import Snapshot

Fields = dict[str, Any]  # of a schema

MEASURED = [name for name in Snapshot.model_fields if name not in ("step", "filters", "points")]


def explanation(model: Model, image: Image, digit: int, with_occlusion: bool) -> Fields:
    """Return the fields that the schema Explanation adds to a prediction. `digit` is the likeliest."""
    network = model.network
    outputs, gradients = activations(network, image), logit_gradients(network, image)
    explained = {
        "input": image.astype(np.float64).tolist(),
        "layers": [{**_layer(layer), "activations": _tensor(output)} for layer, output in zip(network.specification, outputs)],
        "logits": outputs[-1].astype(np.float64).tolist(),
        "temperature": model.decision.temperature,
        "saliency": gradients[digit].astype(np.float64).tolist(),
        "gradients": _tensor(gradients),
    }
    return explained | ({"occlusion": _tensor(occlusion(network, image))} if with_occlusion else {})


def unit(model: Model, image: Image, layer: int, place: list[int]) -> Fields:
    """Return the fields of the schema UnitResponse. Raise ValueError for an unknown unit."""
    inspected = inspect_unit(model.network, image, layer, place)
    return {
        "model_version": model.version,
        "value": inspected.value,
        "inputs": _tensor(inspected.inputs),
        "weights": None if inspected.weights is None else _tensor(inspected.weights),
        "bias": inspected.bias,
        "field": inspected.field._asdict(),
    }


def training(model: Model, image: Image, steps: list[tuple[int | None, float]]) -> Fields:
    """Return the fields of the schema LearnResponse. `steps` are (label, learning rate).

    Raise ValueError for a null label if the network has no class for "no digit".
    """
    network = model.network
    if network.classes <= NO_DIGIT and any(label is None for label, _ in steps):
        raise ValueError('lessons: this network has no class for "no digit", so a label cannot be null')
    result = train_on_image(network, image, [TrainingStep(NO_DIGIT if label is None else label, rate) for label, rate in steps])
    before = _golden_answers(model)
    after = [None] * len(before) if result.diverged else _golden_answers(model._replace(network=result.network))
    return {
        "model_version": model.version,
        "losses": result.losses,
        "before": model.predict(image).answer(),
        "after": None if result.logits is None else model.decide(image, result.logits[None]).answer(),
        "diverged": result.diverged,
        "layers": [
            {**_layer(layer), **step._asdict(), "gradient": _tensor(step.gradient)}
            for layer, step in zip(network.specification, result.layers)
        ],
        "known": [
            {"input": _tensor(image), "before": before_it, "after": after_it}
            for image, before_it, after_it in zip(model.golden, before, after)
        ],
    }


def _golden_answers(model: Model) -> list[Fields]:
    """Return the model's answers for its golden images, in one pass, which takes less than half the time."""
    decided = model.decision.predictions(model.network.predict_logits(model.golden), model.golden)
    return [model.prediction(image, decided, index).answer() for index, image in enumerate(model.golden)]


def timeline(model: Model, snapshots: Snapshots) -> Fields:
    """Return the fields of the schema SnapshotsResponse."""
    epochs = model.card.get("training", {}).get("epochs")
    return {
        "model_version": model.version,
        "epochs": epochs if isinstance(epochs, int) else None,
        "layers": [_layer(layer)["name"] for layer in model.network.specification],
        "mapped": snapshots.mapped.tolist(),
        "moments": [
            {
                "step": int(snapshots.step[index]),
                **{name: _finite(getattr(snapshots, name)[index]) for name in MEASURED},
                "filters": _tensor(_filters(snapshots.network(index, model.network))),
                "points": _tensor(snapshots.map_points[index]),
            }
            for index in range(len(snapshots))
        ],
    }


def predict_at_snapshots(model: Model, snapshots: Snapshots, image: Image) -> Fields:
    """Return the fields of the schema SnapshotPredictions."""
    predictions = []
    for index in range(len(snapshots)):
        network = snapshots.network(index, model.network)
        features = network.predict_features(image[None])
        answer = model.decide(image, network.logits_of(features)).answer()
        predictions.append({**answer, "place": snapshots.plane(index).place(features)[0].tolist()})
    return {"model_version": model.version, "readings": predictions}


def _filters(network: Network) -> NDArray[np.float32]:
    """Return the weights of the first layer with weights: (units, side, side)."""
    first = next(layer for layer in network.layers if layer.parameter_count)
    side = math.isqrt(first.weights.shape[1])  # the image has one channel
    return first.weights.reshape(-1, side, side)


def _finite(values: Any) -> Any:
    """Replace NaN (a missing measurement) with None, since JSON has no NaN."""
    return [_finite(value) for value in values] if np.ndim(values) else float(values) if np.isfinite(values) else None


def _layer(declaration: str | Mapping[str, Any]) -> Fields:
    name = declaration if isinstance(declaration, str) else next(iter(declaration))
    return {"name": name, "declaration": declaration}


def _tensor(array: NDArray[Any]) -> Fields:
    """Return an array in base64: writing 50,000 numbers as text takes longer than computing them."""
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
