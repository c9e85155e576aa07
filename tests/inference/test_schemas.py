"""PredictRequest's exact bounds, and the text and places of its errors."""

import json

import pytest
from inference.field_errors import MAX_ERRORS, body_errors
from inference.schemas.requests import MAX_POINTS, MAX_STROKES, ExplainRequest, LearnRequest, PredictRequest
from pydantic import ValidationError

LINE = [[[0, 0], [1, 1]]]
EITHER = 'send either "image_vector" or "strokes"'


def test_canvas_and_pen_have_defaults():
    drawing = PredictRequest(strokes=LINE)
    assert (drawing.width, drawing.height, drawing.brush) == (280.0, 280.0, 20.0)


def test_accepts_values_at_the_bounds():
    assert PredictRequest(image_vector=[0, 1, 0.5, -0.0]).image_vector == [0, 1, 0.5, -0.0]
    assert PredictRequest(image_vector=[-0.001, 1.001, 0.5]).image_vector == [0, 1, 0.5]
    rows = [[column / 28 for column in range(28)]] * 28
    assert PredictRequest(image_vector=rows).image_vector == rows[0] * 28
    assert PredictRequest(image_vector=[]).image_vector == []  # the route checks the length
    assert PredictRequest(strokes=[[[-1e5, 1e5]]]).strokes == [[(-1e5, 1e5)]]
    assert PredictRequest(strokes=LINE, width=1e5, height=1e5, brush=1e5).brush == 1e5
    assert len(PredictRequest(strokes=LINE * MAX_STROKES).strokes) == MAX_STROKES
    assert len(PredictRequest(strokes=[[[0, 0]] * MAX_POINTS]).strokes[0]) == MAX_POINTS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"image_vector": None, "strokes": None}, EITHER),
        ({"width": 280}, EITHER),
        ({"image_vector": [0, 128, 255]}, "image_vector: the numbers must be from 0 to 1, not 255: divide all by 255"),
        ({"image_vector": [0, -1]}, "image_vector: the numbers must be from 0 to 1, not -1: scale all"),
        ({"image_vector": [[0.0] * 14] * 56}, "image_vector.0: Input should be a valid number"),
        ({"strokes": [[[0, 0]] * MAX_POINTS, [[0, 0]]]}, f"a drawing may have at most {MAX_POINTS} points"),
        ({"strokes": [[[0, 100_001]]]}, "strokes.0.0.1: Input should be less"),
        ({"strokes": [[[0, -100_001]]]}, "strokes.0.0.1: Input should be greater"),
        ({"strokes": [[[1]]]}, "strokes.0.0.1: Field required"),
        *(
            ({"strokes": [], field: number}, f"{field}: ")
            for field in ("width", "height", "brush")
            for number in (float("nan"), 0, 100_001, None, "9")
        ),
        (None, "Input should be an object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_names_the_first_problem_in_one_line(body, words):
    problem = described(PredictRequest, body).detail
    assert problem.startswith(words)
    assert "\n" not in problem


def described(schema, body):
    with pytest.raises(ValidationError) as caught:
        schema.model_validate_json(json.dumps(body))
    return body_errors(caught.value.errors(), schema)


def test_lists_up_to_ten_errors_with_json_pointers():
    body = {"strokes": LINE, "brsh": 3, "width": 0, "changes": [{"layer": 0, "unit": 1, "weight": "x", "~/é": 1}]}
    found = described(ExplainRequest, body).errors
    assert [error["pointer"] for error in found] == [
        *("#/width", "#/changes/0/weight", "#/changes/0/weight", "#/changes/0/~0~1%C3%A9", "#/brsh"),
    ]
    assert found[-1]["detail"] == 'unknown field: did you mean "brush"?'
    lessons = [{"label": 10, "learning_rate": 0}]
    found = described(LearnRequest, {"lessons": lessons, **{"x" * 10_000 + str(n): 0 for n in range(20)}})
    assert len(found.errors) == MAX_ERRORS
    assert max(len(error["pointer"]) for error in found.errors) < 60
