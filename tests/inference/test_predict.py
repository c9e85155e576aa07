"""POST /predict gives the contract's answer, the same for all three forms."""

from types import NoneType

import numpy as np
import pytest
from pngs import png_of

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
def read(service):
    """read(body): return the service's 28 x 28 image of it."""

    def read(body):
        post = service.post_bytes if isinstance(body, bytes) else service.post_json
        return np.array(post(body, path="/predict?input=true").json()["input"])

    return read


@pytest.fixture(scope="module")
def image(read, strokes):
    return read({"strokes": strokes})


@pytest.fixture(scope="module", params=["strokes", "image_vector", "png"])
def ask(request, service, strokes, ink, image):
    """ask(query): send the drawing in one of its forms."""
    if request.param == "png":
        return lambda query="": service.post_bytes(png_of((ink * 255).astype(np.uint8)), path=f"/predict{query}")
    strokes = {"strokes": strokes, "width": 280, "height": 280, "brush": 20}
    body = {"strokes": strokes, "image_vector": {"image_vector": image.ravel().tolist()}}[request.param]
    return lambda query="": service.post_json(body, f"/predict{query}")


def test_answers_as_the_contract_says(ask, service):
    response = ask()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    answer = response.json()
    assert {name: type(value) for name, value in answer.items()} == FIELDS
    probabilities = answer["probabilities"]
    assert len(probabilities) == 10
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-5)
    assert answer["Result"] == answer["digit"] == answer["best_guess"] == int(np.argmax(probabilities))
    assert answer["is_digit"] is True
    assert answer["confidence"] == max(probabilities)
    assert answer["model_version"] == service.get("/model").json()["version"]


def test_returns_the_image_on_request(ask):
    answer, without, with_a_slash = ask("?input=true").json(), ask("?input=false").json(), ask("/").json()
    assert [len(row) for row in answer["input"]] == [28] * 28
    assert (np.min(answer["input"]), np.max(answer["input"])) == (0.0, 1.0)
    assert answer.keys() == FIELDS.keys() | {"input"}
    assert without.keys() == with_a_slash.keys() == FIELDS.keys()
    assert answer["probabilities"] == without["probabilities"] == with_a_slash["probabilities"] == ask().json()["probabilities"]
    assert len({each["prediction_id"] for each in (answer, without, with_a_slash)}) == 3


def test_each_form_gives_the_same_image(read, ink, image):
    np.testing.assert_array_equal(read({"image_vector": image.ravel().tolist()}), image)
    small = (ink.reshape(28, 10, 28, 10).mean(axis=(1, 3)) * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(read({"image_vector": (small.ravel() / 255).tolist()}), read(png_of(small)))
    assert np.corrcoef(image.ravel(), read(png_of((ink * 255).astype(np.uint8))).ravel())[0, 1] > 0.95


def test_only_the_strokes_affect_the_image(read, strokes, image):
    others = {"width": 28, "height": 100000, "brush": 5}
    np.testing.assert_array_equal(read({"strokes": [[], *strokes, []], **others}), image)
