"""PredictRequest's bounds at their very edges, and how a problem is put into words."""

import pytest
from inference.schemas import MAX_POINTS, MAX_STROKES, PredictRequest, first_problem
from pydantic import ValidationError

LINE = [[[0, 0], [1, 1]]]


def problem(**body) -> str:
    with pytest.raises(ValidationError) as caught:
        PredictRequest.model_validate(body)
    return first_problem(caught.value.errors())


def test_the_canvas_and_the_pen_have_defaults():
    drawing = PredictRequest(strokes=LINE)
    assert (drawing.width, drawing.height, drawing.brush) == (280.0, 280.0, 20.0)


@pytest.mark.parametrize("value", [0, 1, 0.5, -0.0])
def test_a_pixel_from_0_to_1_is_taken(value):
    assert PredictRequest(image_vector=[value]).image_vector == [value]


@pytest.mark.parametrize("value", [-1e5, 1e5, 0.0])
def test_a_coordinate_to_100_000_either_way_is_taken(value):
    assert PredictRequest(strokes=[[[value, value]]]).strokes == [[(value, value)]]


@pytest.mark.parametrize("field", ["width", "height", "brush"])
def test_a_length_to_100_000_is_taken(field):
    assert getattr(PredictRequest(strokes=LINE, **{field: 1e5}), field) == 1e5


def test_as_many_strokes_as_allowed_are_taken():
    assert len(PredictRequest(strokes=LINE * MAX_STROKES).strokes) == MAX_STROKES


def test_as_many_points_as_allowed_are_taken():
    assert len(PredictRequest(strokes=[[[0, 0]] * MAX_POINTS]).strokes[0]) == MAX_POINTS


def test_the_length_of_a_vector_is_for_others_to_judge():
    assert PredictRequest(image_vector=[]).image_vector == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, 'send either "image_vector" or "strokes"'),
        ({"strokes": LINE, "image_vector": [0.0]}, 'send either "image_vector" or "strokes"'),
        ({"strokes": [[[0, 0]] * MAX_POINTS, [[0, 0]]]}, f"a drawing may have at most {MAX_POINTS} points"),
    ],
)
def test_a_problem_of_the_whole_is_put_in_our_own_words(body, words):
    assert problem(**body) == words


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"image_vector": [0.0, 0.0, 2.0]}, "image_vector.2: "),
        ({"strokes": [[[0, 0], [0, 1e6]]]}, "strokes.0.1.1: "),
        ({"strokes": LINE, "brush": 0}, "brush: "),
        ({"strokes": LINE * (MAX_STROKES + 1)}, "strokes: "),
    ],
)
def test_a_problem_of_a_part_says_where_it_is(body, place):
    assert problem(**body).startswith(place)


def test_only_the_first_problem_is_told():
    assert "\n" not in problem(image_vector=[5.0] * 784)
