"""POST /predict: what the answer to a drawing looks like, and that its three forms mean the same."""

from types import NoneType

import numpy as np
import pytest

FIELDS = {
    "Result": int,
    "digit": int,
    "is_digit": bool,
    "best_guess": int,
    "probabilities": list,
    "confidence": float,
    "no_digit": NoneType,  # of a network without that class; test_no_digit.py has one with it
    "model_version": str,
    "prediction_id": str,
}


@pytest.fixture(scope="module")
def vector(service, strokes) -> list[float]:
    """The drawing as an image_vector: the very picture that the service made of its strokes."""
    answer = service.post_json({"strokes": strokes}, "/predict?input=true").json()
    return np.ravel(answer["input"]).tolist()


@pytest.fixture(scope="module", params=["strokes", "image_vector", "png"])
def ask(request, service, strokes, ink, vector, png_of):
    """ask() sends the drawing in one of its forms; ask("?input=true") with a query."""
    if request.param == "png":
        return lambda query="": service.post_bytes(png_of((ink * 255).astype(np.uint8)), path=f"/predict{query}")
    bodies = {"strokes": {"strokes": strokes, "width": 280, "height": 280, "brush": 20}, "image_vector": {"image_vector": vector}}
    return lambda query="": service.post_json(bodies[request.param], f"/predict{query}")


def test_the_answer_is_json_and_200(ask):
    response = ask()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")


def test_the_answer_has_exactly_the_fields_of_the_contract(ask):
    assert {name: type(value) for name, value in ask().json().items()} == FIELDS


def test_probabilities_are_ten_and_sum_to_one(ask):
    probabilities = ask().json()["probabilities"]
    assert len(probabilities) == 10
    assert all(type(value) is float and 0.0 <= value <= 1.0 for value in probabilities)
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)


def test_the_digit_is_the_likeliest(ask):
    answer = ask().json()
    assert answer["digit"] == answer["best_guess"] == int(np.argmax(answer["probabilities"]))


def test_result_is_the_digit_under_its_older_name(ask):
    answer = ask().json()
    assert answer["Result"] == answer["digit"]


def test_confidence_is_the_largest_probability(ask):
    answer = ask().json()
    assert answer["confidence"] == max(answer["probabilities"])


def test_a_drawing_is_a_digit(ask):
    assert ask().json()["is_digit"] is True


def test_the_version_is_that_of_the_model_card(ask, service):
    assert ask().json()["model_version"] == service.get("/model").json()["version"]


def test_the_same_drawing_gets_the_same_probabilities_again(ask):
    assert ask().json()["probabilities"] == ask().json()["probabilities"]


def test_every_prediction_has_an_id_of_its_own(ask):
    assert len({ask().json()["prediction_id"] for _ in range(10)}) == 10


def test_a_slash_at_the_end_changes_nothing(ask):
    assert ask("/").json()["probabilities"] == ask().json()["probabilities"]


def test_the_picture_is_there_when_asked_for(ask):
    picture = ask("?input=true").json()["input"]
    assert [len(row) for row in picture] == [28] * 28
    assert np.min(picture) == 0.0
    assert np.max(picture) == 1.0


def test_asking_for_the_picture_adds_nothing_else(ask):
    assert ask("?input=true").json().keys() == FIELDS.keys() | {"input"}


def test_the_picture_is_left_out_when_not_wanted(ask):
    assert ask("?input=false").json().keys() == FIELDS.keys()


def test_asking_for_the_picture_does_not_change_the_reading(ask):
    assert ask("?input=true").json()["probabilities"] == ask().json()["probabilities"]


def test_a_content_type_may_have_parameters_and_capitals(service, strokes):
    body = b'{"strokes": [[[0, 0], [50, 90]]]}'
    assert service.post_bytes(body, "Application/JSON; charset=utf-8").status_code == 200


def read_picture(response) -> np.ndarray:
    return np.array(response.json()["input"])


def test_the_picture_that_was_read_is_read_as_itself(service, vector):
    response = service.post_json({"image_vector": vector}, "/predict?input=true")
    np.testing.assert_array_equal(read_picture(response).ravel(), vector)


def test_a_vector_and_its_png_give_the_same_picture(service, ink, png_of):
    small = (ink.reshape(28, 10, 28, 10).mean(axis=(1, 3)) * 255).round().astype(np.uint8)
    as_vector = service.post_json({"image_vector": (small.ravel() / 255).tolist()}, "/predict?input=true")
    as_png = service.post_bytes(png_of(small), path="/predict?input=true")
    np.testing.assert_array_equal(read_picture(as_vector), read_picture(as_png))


def test_strokes_and_the_canvas_they_make_give_nearly_the_same_picture(service, strokes, ink, png_of):
    of_strokes = read_picture(service.post_json({"strokes": strokes}, "/predict?input=true"))
    of_pixels = read_picture(service.post_bytes(png_of((ink * 255).astype(np.uint8)), path="/predict?input=true"))
    assert np.corrcoef(of_strokes.ravel(), of_pixels.ravel())[0, 1] > 0.95


@pytest.mark.parametrize(
    "change",
    [{}, {"width": 28}, {"height": 100000}, {"brush": 5}, {"colour": "yellow"}],
    ids=["defaults", "narrow", "high", "fine pen", "a field unknown to us"],
)
def test_only_the_strokes_decide_what_is_read(service, strokes, vector, change):
    response = service.post_json({"strokes": strokes, **change}, "/predict?input=true")
    np.testing.assert_array_equal(read_picture(response).ravel(), vector)


@pytest.mark.parametrize(("shift", "scale"), [(100, 1), (-300, 1), (0, 4), (0, 0.25)])
def test_where_and_how_large_it_is_drawn_does_not_matter(service, strokes, vector, shift, scale):
    moved = [[[x * scale + shift, y * scale + shift] for x, y in stroke] for stroke in strokes]
    response = service.post_json({"strokes": moved, "brush": 20 * scale}, "/predict?input=true")
    np.testing.assert_array_equal(read_picture(response).ravel(), vector)


def test_as_many_points_as_are_allowed_are_read(service):
    points = [[step % 200, step // 100] for step in range(20_000)]
    assert service.post_json({"strokes": [points]}).status_code == 200


def test_an_empty_stroke_among_others_is_passed_over(service, strokes, vector):
    response = service.post_json({"strokes": [[], *strokes, []]}, "/predict?input=true")
    np.testing.assert_array_equal(read_picture(response).ravel(), vector)
