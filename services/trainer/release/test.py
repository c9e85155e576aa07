"""test: compare the candidate with evaluate's measurements and with the live model, over HTTP.

Its accuracy must be exactly what evaluate measured. It must reproduce its golden answers, answer fast enough, and not be worse
than the live model.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from digitnet.arrays import Bools, Bytes, Integers
from digitnet.checkpoint import load_card, load_golden, write_atomically
from digitnet.golden import GOLDEN_TOLERANCE
from digitnet.mnist import read_images, read_labels
from digitnet.network import NO_DIGIT
from stores.models import CANDIDATE, LIVE

from trainer.data.digits import load_drawings, share
from trainer.data.idx import TEST_IMAGES, TEST_LABELS
from trainer.evaluation.mcnemar import compare
from trainer.release.api import Api, Prediction, ReleaseError
from trainer.settings import ReleaseTestSettings

CONNECTIONS = 4
TIMED = 1_000  # drawings, sent one after the other to time them


def examine(
    settings: ReleaseTestSettings, api: Api, candidate: Path, mnist: Path, synthetic_file: Path, result_file: Path
) -> dict[str, Any]:
    """Test the candidate of `api`, which must be the model in the folder `candidate`. Write the result and return it.

    ReleaseError if the candidate fails, ApiError if the API does not answer.
    """
    card = load_card(candidate)
    server = _Server(api, card["version"], api.version(LIVE))
    bodies, golden = _pixels(read_images(mnist / TEST_IMAGES)), load_golden(candidate)
    of_mnist = server.measure(bodies, read_labels(mnist / TEST_LABELS).astype(np.int64))
    drawings, labels = load_drawings(synthetic_file)
    strokes = [json.dumps({"strokes": [stroke.tolist() for stroke in drawing]}) for drawing in drawings]
    of_synthetic = server.measure(strokes, labels)
    answers = server.predict(CANDIDATE, _pixels(golden.images))
    difference = np.abs(np.array([answer.probabilities for answer in answers]) - golden.predictions.probabilities)
    seconds = [answer.seconds for answer in server.predict(CANDIDATE, bodies[:TIMED], connections=1)]
    median, p99 = (round(1e3 * float(np.quantile(seconds, part)), 2) for part in (0.5, 0.99))

    result: dict[str, Any] = {
        "version": server.candidate,
        "live": server.live,
        "mnist": _figures(of_mnist, settings.margin),
        "synthetic": _figures(of_synthetic, settings.margin),
        "golden_difference": float(difference.max(initial=0.0)),
        "milliseconds": {"median": median, "p99": p99},
    }
    problems = [
        *_not_as_measured(card["test"], of_mnist, of_synthetic),
        *_worse("MNIST's", result["mnist"], settings),
        *_worse("the synthetic", result["synthetic"], settings),
    ]
    if result["golden_difference"] > GOLDEN_TOLERANCE:
        problems.append(f"golden images: a probability differs by {result['golden_difference']:.2g} from the saved one")
    if p99 > settings.milliseconds:
        problems.append(f"99 of 100 answers took up to {p99:g} ms; the limit is {settings.milliseconds:g} ms")
    result |= {"passed": not problems, "problems": problems}
    write_atomically(result_file, (json.dumps(result, indent=2) + "\n").encode())
    if problems:
        stays = "" if server.live is None else f"; {server.live} stays live"
        raise ReleaseError(f"{server.candidate} is rejected{stays}: {'; '.join(problems)}")
    return result


@dataclass
class _Measured:
    """Both models' results on the same n drawings."""

    is_digit: Bools  # (n,), by label
    rejected: Bools  # (n,), by the candidate
    correct: Bools  # (digits,), by the candidate; for a rejected digit its likeliest digit counts, as in evaluate
    live_correct: Bools | None  # the same for the live model


@dataclass
class _Server:
    """Both models, behind one API. Neither may change during the test."""

    api: Api
    candidate: str
    live: str | None

    def predict(self, alias: str, bodies: Sequence[str], connections: int = CONNECTIONS) -> list[Prediction]:
        predictions, version = self.api.predict(alias, bodies, connections), self.candidate if alias == CANDIDATE else self.live
        others = {prediction.model_version for prediction in predictions} - {version}
        if others:
            raise ReleaseError(
                f"{self.api.url} answered as {alias} with {', '.join(sorted(others))}, not only with {version}: "
                "the alias changed during the test; run dvc repro again"
            )
        return predictions

    def measure(self, bodies: Sequence[str], labels: Integers) -> _Measured:
        predictions = self.predict(CANDIDATE, bodies)
        rejected = np.array([not prediction.is_digit for prediction in predictions], bool)
        live_correct = None if self.live is None else _correct(self.predict(LIVE, bodies), labels)
        return _Measured(labels != NO_DIGIT, rejected, _correct(predictions, labels), live_correct)


def _correct(predictions: Sequence[Prediction], labels: Integers) -> Bools:
    likeliest = np.array([prediction.probabilities for prediction in predictions]).reshape(-1, NO_DIGIT).argmax(axis=1)
    correct: Bools = np.equal(likeliest, labels)[labels != NO_DIGIT]
    return correct


def _pixels(images: Bytes) -> list[str]:
    """Return request bodies with raw images, to test the service's normalization too."""
    return [json.dumps({"image_vector": (image.ravel() / 255).tolist()}) for image in images]


def _figures(measured: _Measured, margin: float) -> dict[str, Any]:
    figures = {"drawings": len(measured.is_digit), "accuracy": share(measured.correct)}
    if measured.live_correct is None or not measured.correct.size:
        return figures
    comparison = compare(measured.correct, measured.live_correct)
    return figures | {
        "live_accuracy": share(measured.live_correct),
        "only_candidate_right": comparison.only_candidate,
        "only_live_right": comparison.only_live,
        "deficit": comparison.deficit,
        "p_equal": comparison.p_equal,
        "p_within_margin": comparison.p_within(margin),
    }


def _not_as_measured(figures: dict[str, Any], of_mnist: _Measured, of_synthetic: _Measured) -> Iterator[str]:
    """Yield a sentence for each share that differs between HTTP and evaluate."""
    rejected = figures.get("rejected", {})
    for name, over_http, offline in (
        ("accuracy on MNIST's digits", of_mnist.correct, figures["accuracy"]),
        ("accuracy on synthetic digits", of_synthetic.correct, figures.get("synthetic_accuracy")),
        ("MNIST's digits rejected", of_mnist.rejected, rejected.get("mnist_digits")),
        ("synthetic digits rejected", of_synthetic.rejected[of_synthetic.is_digit], rejected.get("synthetic_digits")),
        ("non-digits rejected", of_synthetic.rejected[~of_synthetic.is_digit], rejected.get("non_digits")),
    ):
        if offline is not None and share(over_http) != offline:
            yield f"{name}: {share(over_http):.4%} over HTTP, but evaluate measured {offline:.4%}"


def _worse(source: str, figures: dict[str, Any], settings: ReleaseTestSettings) -> Iterator[str]:
    """Yield a sentence if the candidate is worse than the live model by more than the margin and more than chance."""
    if figures.get("deficit", 0.0) > settings.margin and figures["p_within_margin"] < settings.significance:
        yield (
            f"it reads {figures['deficit']:.2%} fewer of {source} digits right than the live model; "
            f"the limit is {settings.margin:.2%} (p = {figures['p_within_margin']:.2g})"
        )
