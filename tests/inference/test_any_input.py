"""Any input gets JSON: a complete prediction or a detail, and never a 5xx."""

import json

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from inference.schemas.responses import PredictionResponse, ReadResponse
from PIL import Image
from pngs import turned

# Deterministic, so that failures repeat. test_openapi.py has more examples.
FEW = settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=15,
)
coordinate = st.floats(-1e5, 1e5) | st.integers(-100_000, 100_000) | st.sampled_from([-0.0, 5e-324, 1e-310, 1e-5])
point = st.tuples(coordinate, coordinate)
strokes = st.lists(st.lists(point, max_size=12), max_size=4)
length = st.floats(5e-324, 1e5) | st.integers(1, 100_000)
vector = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8).map(lambda few: (few * 784)[:784])
rows = st.lists(st.floats(0.0, 1.0), min_size=28, max_size=28).map(lambda row: [row] * 28)

good_bodies = st.fixed_dictionaries(
    {"strokes": strokes}, optional={"width": length, "height": length, "brush": length}
) | st.fixed_dictionaries({"image_vector": vector | rows})
odd_bodies = st.fixed_dictionaries(
    {},
    optional={
        "strokes": strokes | st.lists(st.lists(point | anything, max_size=4), max_size=3) | anything,
        "image_vector": vector | st.lists(st.floats() | anything, max_size=5) | anything,
        **{name: length | anything for name in ("width", "height", "brush")},
    },
)
odd_requests = st.tuples(
    st.binary(max_size=200) | (odd_bodies | anything).map(lambda body: json.dumps(body).encode()),
    st.sampled_from(["application/json", "image/png", "image/jpeg", "text/plain"]),
)


def assert_answered(response) -> None:
    form = "application/json" if response.status_code == 200 else "application/problem+json"
    assert response.headers["content-type"] == form
    body = response.json()
    if response.status_code == 200 and response.url.path == "/read":
        ReadResponse.model_validate_json(response.content, strict=True)
        assert body["text"] == "\n".join(line["text"] for line in body["lines"])
    elif response.status_code == 200:
        assert body.keys() == {*PredictionResponse.model_fields} - {"input"}
        assert abs(sum(body["probabilities"]) - 1.0) < 1e-4  # also false for NaN
        assert body["Result"] == body["digit"]
        assert body["digit"] in (range(10) if body["is_digit"] else [None])
    else:
        assert 400 <= response.status_code < 500, body
        assert body["detail"]


@FEW
@given(body=good_bodies)
@example(body={"strokes": [[[-1e5, -1e5], [1e5, 1e5]]], "brush": 1e5})
def test_predicts_every_drawing_within_the_bounds(service, body):
    for path in ("/predict", "/read"):
        response = service.post_json(body, path)
        assert response.status_code == 200, response.text
        assert_answered(response)


@FEW
@given(request_=odd_requests)
@example(request_=(b'{"strokes": [[[0, 0], [1e-310, 0]]], "brush": 1e-320}', "application/json"))
def test_answers_every_body(service, request_):
    for path in ("/predict", "/read"):
        assert_answered(service.post_bytes(*request_, path))


@FEW
@given(form=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF"]), data=st.data())
def test_answers_an_image_with_any_bytes_changed(service, ink, form, data):
    image = bytearray(turned(Image.fromarray((ink[::10, ::10] * 255).astype("uint8")), form, 6))
    for _ in range(data.draw(st.integers(1, 4))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    file = bytes(image[: data.draw(st.integers(0, len(image)))])
    for path in ("/predict", "/read"):
        assert_answered(service.post_bytes(file, path=path))
