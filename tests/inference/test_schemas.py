"""PredictRequest's bounds at their very edges, and how a problem is put into words."""

import json

import pytest
from inference.schemas import MAX_POINTS, MAX_STROKES, PredictRequest, first_problem
from pydantic import ValidationError

LINE = [[[0, 0], [1, 1]]]


def problem(body: str) -> str:
    with pytest.raises(ValidationError) as caught:
        PredictRequest.model_validate_json(body)
    return first_problem(caught.value.errors())


def test_the_canvas_and_the_pen_have_defaults():
    drawing = PredictRequest(strokes=LINE)
    assert (drawing.width, drawing.height, drawing.brush) == (280.0, 280.0, 20.0)


def test_takes_what_is_just_within_bounds():
    assert PredictRequest(image_vector=[0, 1, 0.5, -0.0]).image_vector == [0, 1, 0.5, -0.0]
    assert PredictRequest(image_vector=[]).image_vector == []  # lengths are judged elsewhere
    assert PredictRequest(strokes=[[[-1e5, 1e5]]]).strokes == [[(-1e5, 1e5)]]
    assert PredictRequest(strokes=LINE, width=1e5, height=1e5, brush=1e5).brush == 1e5
    assert len(PredictRequest(strokes=LINE * MAX_STROKES).strokes) == MAX_STROKES
    assert len(PredictRequest(strokes=[[[0, 0]] * MAX_POINTS]).strokes[0]) == MAX_POINTS


NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400, "null", '"0.5"', '"NaN"', "[0.5]", "{}", "true"]


@pytest.mark.parametrize("number", [*NO_NUMBERS, "-0.001", "1.001", "255"])
def test_rejects_a_pixel(number):
    assert problem(f'{{"image_vector": [0.0, 0.0, {number}]}}').startswith("image_vector.2: ")


@pytest.mark.parametrize("number", [*NO_NUMBERS, "1e300", "-1e300", "100001", "-100001"])
def test_rejects_a_coordinate(number):
    assert problem(f'{{"strokes": [[[0, 0], [0, {number}]]]}}').startswith("strokes.0.1.1: ")


@pytest.mark.parametrize("field", ["width", "height", "brush"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "0", "-1", "100001", "null", '"wide"', "[1]"])
def test_rejects_a_length(field, number):
    assert problem(f'{{"strokes": [], "{field}": {number}}}').startswith(f"{field}: ")


EITHER = 'send either "image_vector" or "strokes"'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, EITHER),
        ({"image_vector": None, "strokes": None}, EITHER),
        ({"width": 280}, EITHER),
        ({"strokes": [[[0, 0]] * MAX_POINTS, [[0, 0]]]}, f"a drawing may have at most {MAX_POINTS} points"),
        ({"strokes": [[[0, 0]] * (MAX_POINTS + 1)]}, "strokes.0: "),
        ({"strokes": LINE * (MAX_STROKES + 1)}, "strokes: "),
        ({"strokes": {"0": [[1, 2]]}}, "strokes: "),
        ({"strokes": [None]}, "strokes.0: "),
        ({"strokes": [[[1]]]}, "strokes.0.0.1: Field required"),
        ({"strokes": [[{"x": 1, "y": 2}]]}, "strokes.0.0: "),
        ({"image_vector": "0" * 784}, "image_vector: "),
        ([], "Input should be an object"),
        (None, "Input should be an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_names_the_first_problem_in_one_line(body, words):
    said = problem(json.dumps(body))
    assert said.startswith(words)
    assert "\n" not in said


@pytest.mark.parametrize(
    "body", ["", "hello", '{"strokes": [[[1,', "{}{}", "{'strokes': []}", "[" * 60_000, '{"a": "\\ud800"}', "\0"]
)
def test_rejects_what_is_no_json(body):
    assert problem(body).startswith("Invalid JSON: ")
