"""test: ask the candidate over HTTP, as users will, before it may be live: all of MNIST's test digits and the synthetic drawings.

It must read them exactly as well as evaluate measured without a service, give the answers that its maker got, be fast enough, and
not be worse than what is live. What comes of it is written down; a candidate that fails is refused, and what is live stays so.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from digitnet.checkpoint import load_card, load_golden, write_atomically
from digitnet.golden import GOLDEN_TOLERANCE
from digitnet.network import NO_DIGIT
from stores.models import CANDIDATE, LIVE

from trainer.data.digits import load_drawings
from trainer.data.idx import TEST_IMAGES, TEST_LABELS, read_images, read_labels
from trainer.evaluation.mcnemar import compare
from trainer.release.api import Answer, Api
from trainer.settings import ReleaseTestSettings

CONNECTIONS = 4
TIMED = 1_000  # drawings, one after the other: how long an answer takes where nobody waits for another
NUMBERS = np.array([repr(level / 255) for level in range(256)], object)  # of pixels, as JSON has them


class TestError(ValueError):
    """The candidate is refused, or cannot be tested; the message says why."""

    __test__ = False  # pytest looks for tests by such names


def examine(
    settings: ReleaseTestSettings, api: Api, candidate: Path, mnist: Path, synthetic_file: Path, result_file: Path
) -> dict:
    """Test what `api` serves as its candidate, which must be the model in the folder `candidate`, and write the result down.

    Returns it. TestError if the candidate is refused, ApiError if it could not be asked.
    """
    card, live = load_card(candidate), api.version(LIVE)
    asked = _Asked(api, {CANDIDATE: card["version"], LIVE: live})
    bodies, labels = _mnist(mnist)
    of_mnist, of_synthetic = _Read(asked, bodies, labels), _Read(asked, *_synthetic(synthetic_file))
    golden = load_golden(candidate)
    answers = asked.read(CANDIDATE, [_vector(image) for image in golden.images])
    got, expected = np.array([answer.probabilities for answer in answers]), golden.predictions.probabilities
    seconds = [answer.seconds for answer in asked.read(CANDIDATE, bodies[:TIMED], connections=1)]

    result = {
        "version": card["version"],
        "live": live,
        "mnist": _figures(of_mnist, settings.margin),
        "synthetic": _figures(of_synthetic, settings.margin),
        "golden_difference": float(np.abs(got - expected).max(initial=0.0)),
        "milliseconds": {
            name: round(1e3 * float(np.quantile(seconds, share)), 2) for name, share in (("median", 0.5), ("p99", 0.99))
        },
    }
    problems = [
        *_not_as_measured(card["test"], of_mnist, of_synthetic),
        *_worse("MNIST's", result["mnist"], settings),
        *_worse("the synthetic", result["synthetic"], settings),
    ]
    if result["golden_difference"] > GOLDEN_TOLERANCE:
        problems.append(f"golden inputs: a probability is {result['golden_difference']:.2g} off what the model's maker got")
    if result["milliseconds"]["p99"] > settings.milliseconds:
        problems.append(
            f"of 100 answers 99 took up to {result['milliseconds']['p99']:g} ms, {settings.milliseconds:g} ms are allowed"
        )
    result |= {"passed": not problems, "problems": problems}
    write_atomically(result_file, (json.dumps(result, indent=2) + "\n").encode())
    if problems:
        stays = "" if live is None else f"; {live} stays live"
        raise TestError(f"{card['version']} is refused{stays}: {'; '.join(problems)}")
    return result


class _Asked:
    """Both models behind the address. Neither may become another while it is asked."""

    def __init__(self, api, versions):
        self._api, self.versions = api, versions

    def read(self, alias, bodies, connections=CONNECTIONS) -> list[Answer]:
        answers = self._api.read(alias, bodies, connections)
        others = {answer.model_version for answer in answers} - {self.versions[alias]}
        if others:
            raise TestError(
                f"{self._api.url} answered as {alias} with {', '.join(sorted(others))}, and not only with "
                f"{self.versions[alias]}: it was changed during the test; run dvc repro again"
            )
        return answers


class _Read:
    """What both models make of the same drawings.

    is_digit      bool (n,), what they are
    rejected      bool (n,), what the candidate takes for no digit
    right         bool (digits,), of the digits, whether the candidate reads them right, as evaluate counts it
    live_right    the same of what is live; None where nothing is
    """

    def __init__(self, asked: _Asked, bodies: Sequence[str], labels: np.ndarray):
        self.is_digit = labels != NO_DIGIT
        answers = asked.read(CANDIDATE, bodies)
        self.rejected = np.array([not answer.is_digit for answer in answers], bool)
        self.right = self._right(answers, labels)
        self.live_right = None if asked.versions[LIVE] is None else self._right(asked.read(LIVE, bodies), labels)

    def _right(self, answers, labels):
        likeliest = np.array([answer.probabilities for answer in answers]).reshape(-1, NO_DIGIT).argmax(axis=1)
        return (likeliest == labels)[self.is_digit]


def _mnist(folder):
    """The test digits as MNIST has them: what is done to an image before the network sees it is tested too."""
    labels = read_labels(folder / TEST_LABELS).astype(np.int64)
    return [_vector(image) for image in read_images(folder / TEST_IMAGES)], labels


def _vector(image):
    return f'{{"image_vector": [{", ".join(NUMBERS[image.ravel()])}]}}'


def _synthetic(file):
    drawings, labels = load_drawings(file)
    return [json.dumps({"strokes": [stroke.tolist() for stroke in drawing]}) for drawing in drawings], labels


def _figures(read, margin):
    figures = {"drawings": len(read.is_digit), "accuracy": _share(read.right)}
    if read.live_right is None or not read.right.size:
        return figures
    comparison = compare(read.right, read.live_right)
    return figures | {
        "live_accuracy": _share(read.live_right),
        "only_candidate_right": comparison.only_candidate,
        "only_live_right": comparison.only_live,
        "deficit": comparison.deficit,
        "p_equal": comparison.p_equal,
        "p_within_margin": comparison.p_within(margin),
    }


def _not_as_measured(measured, of_mnist, of_synthetic):
    """Where what was read over HTTP is not exactly what evaluate found: a sentence each."""
    rejected = measured.get("rejected", {})
    for name, over_http, offline in (
        ("MNIST's digits read right", of_mnist.right, measured["accuracy"]),
        ("synthetic digits read right", of_synthetic.right, measured.get("synthetic_accuracy")),
        ("MNIST's digits rejected", of_mnist.rejected, rejected.get("mnist_digits")),
        ("synthetic digits rejected", of_synthetic.rejected[of_synthetic.is_digit], rejected.get("synthetic_digits")),
        ("non-digits rejected", of_synthetic.rejected[~of_synthetic.is_digit], rejected.get("non_digits")),
    ):
        if offline is not None and _share(over_http) != offline:
            yield f"{name}: {_share(over_http):.4%} over HTTP, but evaluate measured {offline:.4%}"


def _worse(of_which, figures, settings):
    """Where the candidate is worse than what is live, by more than the margin and more than chance: a sentence."""
    if figures.get("deficit", 0.0) > settings.margin and figures["p_within_margin"] < settings.significance:
        yield (
            f"of {of_which} digits it reads {figures['deficit']:.2%} fewer than what is live, {settings.margin:.2%} are allowed "
            f"(p = {figures['p_within_margin']:.2g})"
        )


def _share(chosen):
    return float(chosen.mean()) if chosen.size else 0.0
