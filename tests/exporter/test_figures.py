"""Figures: a number is taken, nothing is None, and whatever else stands there is rejected with its place."""

import json

import pytest
from exporter.figures import FigureError, figure, number_in, timestamp


@pytest.mark.parametrize(
    ("text", "value"),
    [("3", 3.0), ("0.5", 0.5), ("-1e-3", -0.001), ("0", 0.0), ("null", None)]
    + [(text, FigureError) for text in ('"0.5"', "true", "[1]", "{}", "NaN", "Infinity", "1e999", "1" + 400 * "0")],
)
def test_a_figure_is_a_finite_number_or_absent(text, value):
    document = {"test": {"accuracy": json.loads(text)}}
    if value is FigureError:
        with pytest.raises(FigureError, match=r"^test.accuracy is not a number: .{,60}$"):
            figure(document, "test", "accuracy")
    else:
        assert figure(document, "test", "accuracy") == value


@pytest.mark.parametrize("document", [{}, {"test": {}}, {"test": None}])
def test_what_is_absent_is_none(document):
    assert figure(document, "test", "accuracy") is None
    assert timestamp(document, "test", "finished_at") is None


@pytest.mark.parametrize("document", [[], "text", 5, {"test": []}, {"test": "x" * 100_000}])
def test_rejects_a_document_of_another_shape_in_few_words(document):
    with pytest.raises(FigureError, match=r"^test.accuracy is not to be found: .{,90}$"):
        figure(document, "test", "accuracy")


@pytest.mark.parametrize("text", ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"])
def test_takes_a_time_whatever_its_zone(text):
    assert timestamp({"at": text}, "at") == 1_767_323_045


@pytest.mark.parametrize("value", ["2026-01-02T03:04:05", "yesterday", "", 1_767_323_045, [], True])
def test_rejects_what_is_no_time_or_could_be_anywhere(value):
    with pytest.raises(FigureError, match=r"^at is not a time with its time zone: "):
        timestamp({"at": value}, "at")


def test_a_table_s_cell_is_a_finite_number():
    assert (number_in("10", "loss"), number_in("4e-07", "loss")) == (10.0, 4e-07)
    for text in ("", "much", "nan", "inf", "-inf"):
        with pytest.raises(FigureError, match=r"^loss is not a number: "):
            number_in(text, "loss")
