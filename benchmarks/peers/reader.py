"""What each peer serves: the same NumPy network, one 784-vector in, the digit and its probabilities out. Nothing else."""

import os
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load
from digitnet.decision import Decision
from threadpoolctl import threadpool_limits

threadpool_limits(1, user_api="blas")  # as the service has it: for one image more threads cost more than they give
NETWORK, _ = load(Path(os.environ["DOODLE_BENCH_MODEL"]))


def read(image_vector: list[float]) -> dict:
    """784 numbers in [0, 1] -> what is answered."""
    return of_image(np.asarray(image_vector, np.float32).reshape(28, 28))


def of_image(image: np.ndarray) -> dict:
    """The same of float32 (28, 28) in [0, 1]."""
    (probabilities,) = Decision().probabilities(NETWORK.predict_logits(image[None]))
    return {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}
