"""The network that each peer serves, in NumPy: a vector of 784 numbers in, the digit and its probabilities out."""

import os
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.decision import Decision
from threadpoolctl import threadpool_limits

threadpool_limits(1, user_api="blas")  # like the service: more threads would slow down one image
NETWORK, _ = load(Path(os.environ["DOODLE_BENCH_MODEL"]))


def read(image_vector: list[float]) -> dict:
    """Return the answer for 784 numbers in [0, 1]."""
    return of_image(np.asarray(image_vector, np.float32).reshape(28, 28))


def of_image(image: np.ndarray) -> dict:
    """Return the answer for an image float32 (28, 28) in [0, 1]."""
    (probabilities,) = Decision().probabilities(NETWORK.predict_logits(image[None]))
    return {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}
