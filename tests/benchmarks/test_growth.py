"""growth.py: what it makes of its measurements, and that what it last found is what docs/performance.md says."""

import json
import re

import pytest


@pytest.fixture
def growth(load_benchmark):
    return load_benchmark("growth")


@pytest.fixture
def recorded(growth):
    return json.loads((growth.bench.RESULTS / "growth.json").read_text())


def test_a_round_goes_through_all_points_before_the_next_and_the_median_counts(growth):
    asked, seconds = [], iter([1.0, 10.0, 3.0, 30.0, 2.0, 50.0])

    def measure(point):
        asked.append(point)
        return {"seconds": next(seconds)}

    assert growth.curve((4, 8), measure) == {"x": [4, 8], "seconds": [2.0, 30.0]}
    assert asked == [4, 8, 4, 8, 4, 8]


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_exponent_is_that_of_the_upper_half(growth, power):
    xs = [1, 2, 4, 8, 16, 32]
    costs = [100.0, 100.0, 100.0, *(x**power for x in xs[3:])]
    assert growth.exponent(xs, costs) == pytest.approx(power)


def test_memory_is_what_was_held_at_the_most(growth):
    import numpy as np

    assert growth.megabytes_of(lambda: np.ones(250_000)) == pytest.approx(2.0, rel=0.01)


def test_every_curve_was_recorded_and_none_is_quadratic(growth, recorded):
    assert set(recorded["curves"]) == set(growth.CURVES)
    assert set(recorded["exponents"]) == set(growth.GROWING)
    for what, (name, line) in growth.GROWING.items():
        curve = recorded["curves"][name]
        assert recorded["exponents"][what] == pytest.approx(growth.exponent(curve["x"], curve[line]))
        assert recorded["exponents"][what] < 1.25, what


def test_the_document_says_what_was_recorded(growth, recorded):
    text = (growth.HERE.parent / "docs" / "performance.md").read_text()
    for what, exponent in recorded["exponents"].items():
        assert f"| {what} | {exponent:.2f} |" in text
    for picture in re.findall(r"images/(growth-\w+\.png)", text):
        assert (growth.IMAGES / picture).exists()


def test_a_curve_that_there_is_not_is_said(growth, capsys):
    with pytest.raises(SystemExit):
        growth.main(["--only", "no such curve"])
    assert "no curve is left of training" in capsys.readouterr().err
