"""Golden examples: images in a model, with the trainer's predictions for them, which `load` compares with its own."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import Arrays, Bytes, Floats
from digitnet.decision import Decision, Predictions
from digitnet.images.normalize import in_unit_range
from digitnet.network import DIGITS, IMAGE_SHAPE, Network

MOST_GOLDEN = 100
GOLDEN_TOLERANCE = 1e-3  # of the largest logit: other processors add in another order, nothing more


class Golden(NamedTuple):
    images: Bytes  # (n, 28, 28)
    logits: Floats  # (n, classes)
    predictions: Predictions
    decision: Decision

    @classmethod
    def of(cls, network: Network, decision: Decision, images: Bytes) -> "Golden":
        """Make the examples of a network. ValueError if there are not 1 to MOST_GOLDEN images."""
        _check_count(images)
        logits = network.predict_logits(in_unit_range(images))
        return cls(images, logits, decision.predictions(logits, images), decision)

    def arrays(self) -> Arrays:
        """Return the arrays of an .npz file."""
        predictions = {f"golden_{name}": values for name, values in self.predictions._asdict().items()}
        return {"golden_pictures": self.images, "golden_logits": self.logits, **predictions, "decision": _array(self.decision)}

    @classmethod
    def from_arrays(cls, arrays: Arrays, decision: Decision) -> "Golden":
        """Return the examples of an .npz file. ValueError for other shapes, other numbers, or another decision.

        An older file has images and logits alone; `decision` then makes the predictions.
        """
        try:
            images, logits = arrays["golden_pictures"], arrays["golden_logits"]
            if images.dtype != np.uint8 or images.shape[1:] != IMAGE_SHAPE[1:] or logits.shape[:-1] != images.shape[:1]:
                raise ValueError(f"it has golden examples of the wrong shape: {images.shape}, {logits.shape}")
            _check_count(images)
            if logits.dtype.kind != "f" or not np.isfinite(logits).all():
                raise ValueError(f"it has golden answers that are {logits.dtype}, or not finite")
            if "decision" not in arrays:
                return cls(images, logits, decision.predictions(logits, images), decision)
            if arrays["decision"].dtype != np.float64 or not np.array_equal(arrays["decision"], _array(decision)):
                raise ValueError("it was made with another temperature or threshold than the card says: save the model anew")
            predictions = Predictions(*(arrays[f"golden_{name}"] for name in Predictions._fields))
        except KeyError as error:
            raise ValueError(f"it lacks {error}") from error
        count, kinds = len(images), [(values.shape, values.dtype.kind) for values in predictions]
        if kinds != [((count, DIGITS), "f"), ((count,), "f"), ((count,), "b")]:
            raise ValueError(f"it has golden predictions of the wrong shape or kind: {kinds}")
        return cls(images, logits, predictions, decision)

    def check(self, network: Network) -> None:
        """ValueError unless the network gives these logits and these predictions."""
        images, logits, predictions, decision = self
        if not np.isfinite(network.parameters).all():
            raise ValueError("it holds parameters that are not finite numbers")
        if (logits.shape[1], logits.dtype) != (network.classes, network.dtype):
            raise ValueError(f"it has golden answers of another network: {logits.dtype} {logits.shape}")
        with np.errstate(all="ignore"):  # huge weights overflow, and then the answers differ
            answers = network.predict_logits(in_unit_range(images), batch_size=16)
            found = decision.predictions(answers, images)
        if not np.allclose(answers, logits, rtol=0.0, atol=GOLDEN_TOLERANCE * max(1.0, float(np.abs(logits).max()))):
            raise ValueError("it does not give the answers that its maker got: save the model anew, or go back to another")
        tolerance = GOLDEN_TOLERANCE / min(1.0, decision.temperature)
        is_clear = np.abs(found.no_digit - decision.no_digit_threshold) > tolerance
        if not (
            np.allclose(found.probabilities, predictions.probabilities, rtol=0.0, atol=tolerance)
            and np.allclose(found.no_digit, predictions.no_digit, rtol=0.0, atol=tolerance)
            and np.array_equal(found.is_digit[is_clear], predictions.is_digit[is_clear])
        ):
            raise ValueError("it does not give the predictions that its maker got: save the model anew, or go back to another")


def _check_count(images: Bytes) -> None:
    if not 1 <= len(images) <= MOST_GOLDEN:
        raise ValueError(f"a model carries 1 to {MOST_GOLDEN} golden examples, and this one has {len(images)}")


def _array(decision: Decision) -> Floats:
    return np.array([decision.temperature, decision.no_digit_threshold])
