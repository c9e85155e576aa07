"""Golden examples: images in a saved model, with the trainer's predictions. `checkpoint.load` checks them."""

from typing import NamedTuple

import numpy as np

from digitnet.arrays import Arrays, Bytes, Floats
from digitnet.decision import Decision, Predictions
from digitnet.images.normalize import in_unit_range
from digitnet.network import IMAGE_SHAPE, Network

MOST_GOLDEN = 100
GOLDEN_TOLERANCE = 1e-3  # relative to the largest logit: other processors add floats in another order


class Golden(NamedTuple):
    images: Bytes  # (n, 28, 28)
    logits: Floats  # (n, classes)
    predictions: Predictions
    decision: Decision

    @classmethod
    def of(cls, network: Network, decision: Decision, images: Bytes, batch_size: int = 128) -> "Golden":
        """Return a network's golden examples for images uint8 (n, 28, 28). ValueError unless n is 1 to MOST_GOLDEN."""
        if not 1 <= len(images) <= MOST_GOLDEN:
            raise ValueError(f"a model has 1 to {MOST_GOLDEN} golden examples, but this one has {len(images)}")
        logits = network.predict_logits(in_unit_range(images), batch_size)
        return cls(images, logits, decision.predictions(logits, images), decision)

    def arrays(self) -> Arrays:
        """Return the arrays of an .npz file."""
        predictions = {f"golden_{name}": values for name, values in self.predictions._asdict().items()}
        decision = np.array([self.decision.temperature, self.decision.no_digit_threshold])
        return {"golden_pictures": self.images, "golden_logits": self.logits, **predictions, "decision": decision}

    @classmethod
    def from_arrays(cls, arrays: Arrays, decision: Decision, network: Network) -> "Golden":
        """Return the examples of an .npz file. ValueError unless this network gives the same logits and predictions.

        An older file has images and logits only; `decision` then makes the predictions.
        """
        if not np.isfinite(network.parameters).all():
            raise ValueError("it has parameters that are not finite numbers")
        try:
            images = arrays["golden_pictures"]
            if images.dtype != np.uint8 or images.shape[1:] != IMAGE_SHAPE[1:]:
                raise ValueError(f"its golden images should be uint8 (n, 28, 28), but are {images.dtype} {images.shape}")
            with np.errstate(all="ignore"):  # huge weights overflow; the comparison then fails
                own = cls.of(network, decision, images, batch_size=16).arrays()
            stored = arrays if "decision" in arrays else own | {"golden_logits": arrays["golden_logits"]}
            for name, values in own.items():
                if (stored[name].shape, stored[name].dtype) != (values.shape, values.dtype):
                    raise ValueError(f"its {name} should be {values.dtype} {values.shape}, not {stored[name].dtype}")
        except KeyError as error:
            raise ValueError(f"it lacks {error}") from error
        if not np.array_equal(stored["decision"], own["decision"]):
            raise ValueError("its temperature or threshold differs from the model card: save the model anew")
        logits, predictions = stored["golden_logits"], Predictions(*(stored[f"golden_{name}"] for name in Predictions._fields))
        if not _close(own["golden_logits"], logits, GOLDEN_TOLERANCE * max(1.0, float(np.abs(logits).max()))):
            raise ValueError("it does not give the answers that its maker got: save the model anew, or go back to another")
        tolerance = GOLDEN_TOLERANCE / min(1.0, decision.temperature)
        is_clear = np.abs(own["golden_no_digit"] - decision.no_digit_threshold) > tolerance
        if not (
            _close(own["golden_probabilities"], predictions.probabilities, tolerance)
            and _close(own["golden_no_digit"], predictions.no_digit, tolerance)
            and np.array_equal(own["golden_is_digit"][is_clear], predictions.is_digit[is_clear])
        ):
            raise ValueError("it does not give the predictions that its maker got: save the model anew, or go back to another")
        return cls(images, logits, predictions, decision)


def _close(own: Floats, stored: Floats, tolerance: float) -> bool:
    return np.allclose(own, stored, rtol=0.0, atol=tolerance)
