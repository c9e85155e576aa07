"""Figures in files and cards: numbers and times are accepted, missing ones are None, others are errors."""

import pytest
from exporter.results import CardFigures, Metrics


@pytest.mark.parametrize(("text", "value"), [("3", 3.0), ("0.5", 0.5), ("-1e-3", -0.001), ("0", 0.0), ("null", None)])
def test_a_figure_is_a_finite_number_or_absent(text, value):
    assert Metrics.model_validate_json(f'{{"accuracy": {text}}}').accuracy == value
    assert Metrics.model_validate_json("{}").accuracy is None


@pytest.mark.parametrize("text", ['"0.5"', "true", "[1]", "{}", "NaN", "Infinity", "1e999", '"' + 100_000 * "x" + '"'])
def test_error_names_a_wrong_figure_briefly(text):
    with pytest.raises(ValueError, match=r"accuracy\n  Input should be a ") as raised:
        Metrics.model_validate_json(f'{{"accuracy": {text}}}')
    assert len(str(raised.value)) < 400


def test_rejects_a_huge_integer():
    with pytest.raises(ValueError, match="finite number"):
        Metrics.model_validate_json('{"accuracy": 1' + 400 * "0" + "}")


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"])
def test_accepts_times_in_any_zone(text):
    finished_at = CardFigures.model_validate({"training": {"finished_at": text}}).finished_at
    assert finished_at.timestamp() == 1_767_323_045


@pytest.mark.parametrize("finished_at", ["2026-01-02T03:04:05", "soon", "x" * 10_000])
def test_error_names_a_wrong_time(finished_at):
    with pytest.raises(ValueError, match=r"training\.finished_at\n  Input should ") as raised:
        CardFigures.model_validate({"training": {"finished_at": finished_at}})
    assert len(str(raised.value)) < 400
