"""growth.py: what it makes of its measurements, and that docs/performance.md says what it last found."""

import json
import re

import pytest


@pytest.fixture
def growth(load_benchmark):
    return load_benchmark("growth")


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


def test_no_curve_is_quadratic_and_the_document_says_what_was_recorded(growth):
    recorded = json.loads((growth.bench.RESULTS / "growth.json").read_text())
    text = (growth.HERE.parent / "docs" / "performance.md").read_text()
    assert set(recorded["curves"]) == set(growth.CURVES)
    assert set(recorded["exponents"]) == set(growth.GROWING)
    for what, (name, line) in growth.GROWING.items():
        curve, exponent = recorded["curves"][name], recorded["exponents"][what]
        assert exponent == pytest.approx(growth.exponent(curve["x"], curve[line]))
        assert exponent < 1.25, what
        assert f"| {what} | {exponent:.2f} |" in text
    for picture in re.findall(r"images/(growth-\w+\.png)", text):
        assert (growth.IMAGES / picture).exists()
