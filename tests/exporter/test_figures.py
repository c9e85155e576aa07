"""figures: a number is taken, nothing is None, and whatever else stands there is refused with its place."""

import json

import pytest
from exporter.figures import FigureError, figure, number_in, timestamp


class TestFigure:
    @pytest.mark.parametrize(("text", "value"), [("3", 3.0), ("0.5", 0.5), ("-1e-3", -0.001), ("0", 0.0)])
    def test_a_number_is_taken(self, text, value):
        assert figure({"test": {"accuracy": json.loads(text)}}, "test", "accuracy") == value

    @pytest.mark.parametrize("document", [{}, {"test": {}}, {"test": None}, {"test": {"accuracy": None}}])
    def test_what_is_absent_is_none(self, document):
        assert figure(document, "test", "accuracy") is None

    @pytest.mark.parametrize("text", ['"0.5"', "true", "[1]", "{}", "NaN", "Infinity", "1e999", "1" + 400 * "0"])
    def test_what_is_no_number_is_refused(self, text):
        with pytest.raises(FigureError, match=r"^test.accuracy is not a number: "):
            figure({"test": {"accuracy": json.loads(text)}}, "test", "accuracy")

    @pytest.mark.parametrize("document", [[], "text", 5, {"test": []}, {"test": "accuracy"}])
    def test_a_document_of_another_shape_is_refused(self, document):
        with pytest.raises(FigureError, match=r"^test.accuracy is not to be found: "):
            figure(document, "test", "accuracy")

    def test_the_message_does_not_grow_with_the_document(self):
        with pytest.raises(FigureError) as raised:
            figure({"test": "x" * 100_000}, "test")
        assert len(str(raised.value)) < 200


class TestTimestamp:
    @pytest.mark.parametrize("text", ["2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00"])
    def test_a_time_is_taken_whatever_its_zone(self, text):
        assert timestamp({"at": text}, "at") == 1_767_323_045

    def test_what_is_absent_is_none(self):
        assert timestamp({}, "at") is None

    @pytest.mark.parametrize("value", ["2026-01-02T03:04:05", "yesterday", "", 1_767_323_045, [], True])
    def test_what_is_no_time_or_could_be_anywhere_is_refused(self, value):
        with pytest.raises(FigureError, match=r"^at is not a time with its time zone: "):
            timestamp({"at": value}, "at")


class TestNumberIn:
    @pytest.mark.parametrize(("text", "value"), [("10", 10.0), ("4e-07", 4e-07)])
    def test_a_number_is_taken(self, text, value):
        assert number_in(text, "loss") == value

    @pytest.mark.parametrize("text", ["", "much", "nan", "inf", "-inf"])
    def test_what_is_no_number_is_refused(self, text):
        with pytest.raises(FigureError, match=r"^loss is not a number: "):
            number_in(text, "loss")
