"""The model in service: a network, its card and its decision, and the predictions that they make."""

from typing import Any, NamedTuple

import numpy as np
from digitnet.decision import Decision, is_blank
from digitnet.inference_plan import InferencePlan
from digitnet.inspect.units import Change, changed
from digitnet.network import NO_DIGIT, Network
from numpy.typing import NDArray

Image = NDArray[np.float32]  # (28, 28) in [0, 1], 1 = ink
Logits = NDArray[np.float32]  # (1, classes)


class Prediction(NamedTuple):
    """A network's prediction for one image."""

    probabilities: NDArray[np.float32]  # (10,), of the digits, given that the image shows one
    is_digit: bool
    is_blank: bool = False
    no_digit: dict[str, float] | None = None  # its probability and threshold; None: the network has no class for it

    @property
    def digit(self) -> int:
        """The likeliest digit, also where the answer is "no digit"."""
        return int(self.probabilities.argmax())

    def answer(self) -> dict[str, Any]:
        """Return the fields of the schema Answer."""
        digit = self.digit
        no_digit = 1.0 if self.no_digit is None else self.no_digit["probability"]
        return {
            "digit": digit if self.is_digit else None,
            "is_digit": self.is_digit,
            "best_guess": None if self.is_blank else digit,
            "probabilities": self.probabilities.tolist(),
            "confidence": float(self.probabilities[digit]) if self.is_digit else no_digit,
            "no_digit": self.no_digit,
        }


class Model(NamedTuple):
    """A network and its card. It never changes, and a request keeps the one that it began with."""

    network: Network
    card: dict[str, Any]
    decision: Decision = Decision()
    golden: NDArray[np.float32] = np.empty((0, 28, 28), np.float32)  # images that it carries, in [0, 1]
    plan: InferencePlan | None = None  # the network compiled for speed; None for a copy that serves one request

    @property
    def version(self) -> str:
        return str(self.card["version"])

    def with_edits(self, changes: list[Change]) -> "Model":
        """Return a model whose network is a copy with these changes. ValueError if there is no such parameter."""
        return self._replace(network=changed(self.network, changes), plan=None) if changes else self

    def with_network(self, network: Network) -> "Model":
        return self._replace(network=network, plan=None)

    def predict(self, image: Image) -> Prediction:
        return self.decide(image, (self.plan or self.network).predict_logits(image[None]))

    def decide(self, image: Image, logits: Logits) -> Prediction:
        """Return the prediction for an image that a network gave these logits."""
        decided = self.decision.predictions(logits, image[None])
        blank = bool(is_blank(image[None])[0])
        no_digit = None
        if logits.shape[1] > NO_DIGIT:
            probability = 1.0 if blank else float(decided.no_digit[0])
            no_digit = {"probability": probability, "threshold": self.decision.no_digit_threshold}
        return Prediction(decided.probabilities[0], bool(decided.is_digit[0]), blank, no_digit)
