"""What /explain adds to an answer: how the network came to it, layer by layer, all of it computed by digitnet."""

import base64

import numpy as np
from digitnet.explaining import activations, logit_gradients, occlusion

from inference.predictor import Model


def explanation(model: Model, picture: np.ndarray, digit: int, with_occlusion: bool) -> dict:
    """Of a picture float32 (28, 28) in [0, 1] that was read as this digit: what schemas.Explanation has beyond a Prediction."""
    network = model.network
    outputs, gradients = activations(network, picture), logit_gradients(network, picture)
    explained = {
        "input": picture.astype(np.float64).tolist(),
        "layers": [
            {"name": layer if isinstance(layer, str) else next(iter(layer)), "declaration": layer, "activations": _tensor(output)}
            for layer, output in zip(network.specification, outputs)
        ],
        "logits": outputs[-1].astype(np.float64).tolist(),
        "temperature": model.temperature,
        "saliency": gradients[digit].astype(np.float64).tolist(),
        "gradients": _tensor(gradients),
    }
    return explained | ({"occlusion": _tensor(occlusion(network, picture))} if with_occlusion else {})


def _tensor(array):
    """Fifty thousand numbers as text would take longer to write than to compute."""
    return {"shape": list(array.shape), "float32": base64.b64encode(array.astype("<f4").tobytes()).decode()}
