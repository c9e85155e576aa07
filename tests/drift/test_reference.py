"""The reference describes its drawings, survives JSON and rejects damage."""

import json
from dataclasses import replace
from functools import reduce
from operator import getitem

import numpy as np
import pytest
from drift.reference import LEAST_OF_A_DIGIT, SUBJECTS, Reference


@pytest.fixture(scope="module")
def drawings(population):
    return population(np.random.default_rng(1), 5000)


@pytest.fixture(scope="module")
def as_text(drawings):
    return json.dumps(Reference.of(drawings).to_dict(), indent=2)


@pytest.fixture
def stored(as_text):
    return json.loads(as_text)


def test_counts_its_drawings_between_quantiles(drawings, stored):
    assert stored["drawings"] == 5000
    assert stored["digits"] == np.bincount(drawings.digits).tolist()
    assert stored["rejected"] == np.count_nonzero(drawings.rejected) > 0
    edges = Reference.of(drawings).edges["ink"]
    assert len(edges) == 31
    assert edges[15] == pytest.approx(np.median(drawings.values[:, 0]), abs=0.01)


def test_expects_the_distribution_of_a_digit_mix(drawings):
    reference, shares = Reference.of(drawings), np.array([0.5, 0, 0, 0.3, 0, 0, 0, 0, 0, 0.2])
    for column, subject in enumerate(SUBJECTS):
        values, edges = drawings.values[:, column], reference.edges[subject]
        wanted = sum(share * (values[drawings.digits == digit, None] <= edges).mean(axis=0) for digit, share in enumerate(shares))
        assert reference.expected(subject, shares) == pytest.approx(wanted)


def test_effective_size_is_largest_for_its_own_mix(drawings):
    reference = Reference.of(drawings)
    assert reference.effective_drawings(reference.of_digit / 5000) == pytest.approx(5000)
    assert reference.effective_drawings(np.eye(10)[3]) == pytest.approx(reference.of_digit[3])


def test_survives_json_and_is_small(drawings, stored, as_text):
    reference, again = Reference.of(drawings), Reference.from_dict(stored)
    assert again.to_dict() == stored == reference.to_dict()
    for subject in SUBJECTS:
        assert np.array_equal(again.edges[subject], reference.edges[subject])
        assert np.array_equal(again.counts[subject], reference.counts[subject])
    assert len(as_text) < 15_000


def test_a_constant_subject_has_one_edge(drawings):
    values = drawings.values.copy()
    values[:, 3] = 2.0
    stored = Reference.of(replace(drawings, values=values)).to_dict()
    assert stored["subjects"]["stroke_width"]["edges"] == [2.0]
    assert Reference.from_dict(stored).to_dict() == stored


def test_needs_enough_drawings_of_each_digit(generator, population, monkeypatch):
    digits = np.repeat(np.arange(10), LEAST_OF_A_DIGIT)
    fewest = Reference.of(population(generator, len(digits), digits)).to_dict()
    digits[-1] = 0
    with pytest.raises(ValueError, match="20 drawings of each digit; one has 19"):
        Reference.of(population(generator, len(digits), digits))
    monkeypatch.setattr("drift.reference.LEAST_OF_A_DIGIT", 21)
    with pytest.raises(ValueError, match="contradict each other"):
        Reference.from_dict(fewest)


INK = ("subjects", "ink")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("format",), "drift-reference-0"),
        (("subjects",), None),
        (("subjects", "color"), {}),
        (INK, []),
        ((*INK, "edges"), None),
        ((*INK, "edges", 3), float("nan")),
        ((*INK, "edges", 3), 1e9),
        ((*INK, "counts", 0), 7),
        ((*INK, "counts", 0), "1 2 three"),
        ((*INK, "counts", 0), " ".join(["99999999999999999999"] * 32)),
        ((*INK, "counts", 9), None),
        ((*INK, "counts", 0), " ".join(["-1"] * 32)),
        ((*INK, "counts", 0), " ".join(["7"] * 32)),
        (("subjects", "slant", "counts", 0), " ".join(["7"] * 32)),
        (("digits", 0), 3),
        (("drawings",), 4999),
        (("rejected",), -1),
        (("rejected",), 5001),
    ],
)
def test_rejects_damage(stored, place, value):
    """Put `value` at the path of keys, or delete the key if it is None."""
    *path, last = place
    part = reduce(getitem, path, stored)
    if value is None:
        del part[last]
    else:
        part[last] = value
    with pytest.raises(ValueError, match="the drift reference is damaged or not drift-reference-1: "):
        Reference.from_dict(stored)
