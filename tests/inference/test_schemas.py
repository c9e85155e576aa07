"""PredictRequest's exact bounds, and the text of its errors."""

import json

import pytest
from inference.errors import first_problem
from inference.schemas.requests import MAX_POINTS, MAX_STROKES, PredictRequest
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
    with pytest.raises(ValidationError) as caught:
        PredictRequest.model_validate_json(json.dumps(body))
    problem = first_problem(caught.value.errors())
    assert problem.startswith(words)
    assert "\n" not in problem
