"""POST /explain and /unit return digitnet's numbers for every form, and log nothing."""

import numpy as np
import pytest
from digitnet.decision import Decision
from digitnet.inspect.edits import Edit, with_edits
from digitnet.inspect.explanations import activations, logit_gradients, occlusion
from digitnet.inspect.units import inspect_unit
from inference.schemas.responses import Explanation, UnitResponse
from PIL import Image
from pngs import png_of
from stores.models.folder import FolderModels
from worst_requests import options

LAST = ["flatten", {"dense": {"units": 11}}]
LAYERS = [{"conv2d": {"filters": 4, "kernel_size": 5}}, {"maxpool2d": {"size": 2}}, "relu", *LAST]
ABOUT = {"temperature": 1.5, "no_digit_threshold": 0.999}
SQUARE = np.zeros((28, 28))
SQUARE[4:24, 10:14] = 0.8


@pytest.fixture(scope="module")
def models(tmp_path_factory, publish_model):
    models = FolderModels(tmp_path_factory.mktemp("explained"))
    publish_model(models.folder, 3, ABOUT, LAYERS)
    return models


@pytest.fixture(scope="module")
def network(models):
    return models.load(models.alias("live"))[0]


@pytest.fixture(scope="module")
def client(models, serve):
    with serve(models.folder) as client:
        yield client


@pytest.fixture(scope="module")
def ask(client, strokes):
    """ask("/unit", layer=0): return the answer for the drawing."""

    def ask(path="/explain", **more):
        response = client.post(path, json={"strokes": strokes, **more})
        assert response.status_code == 200, response.text
        return response.json()

    return ask


def image_of(answer):
    return np.array(answer["input"], np.float32)


@pytest.mark.parametrize("form", ["strokes", "image_vector", "png"])
def test_returns_digitnet_s_numbers(client, network, ink, strokes, numbers, form):
    if form == "png":
        response = client.post("/explain", content=png_of((ink * 255).astype(np.uint8)), headers={"Content-Type": "image/png"})
    else:
        response = client.post("/explain", json={form: strokes if form == "strokes" else SQUARE.ravel().tolist()})
    explained = response.json()
    Explanation.model_validate(explained)
    image = image_of(explained)
    assert image.any()
    for layer, declaration, expected in zip(explained["layers"], network.specification, activations(network, image), strict=True):
        assert layer["declaration"] == declaration
        np.testing.assert_array_equal(numbers(layer["activations"]), expected)
    np.testing.assert_array_equal(np.float32(explained["logits"]), activations(network, image)[-1])
    gradients = logit_gradients(network, image)
    np.testing.assert_array_equal(numbers(explained["gradients"]), gradients)
    np.testing.assert_array_equal(np.float32(explained["saliency"]), gradients[explained["digit"]])
    (probabilities,) = Decision.of(ABOUT).probabilities(network.predict_logits(image[None]))
    np.testing.assert_allclose(explained["probabilities"], probabilities, atol=1e-6)
    assert explained["digit"] == explained["Result"] == int(np.argmax(probabilities))
    assert explained["temperature"] == ABOUT["temperature"]


def test_takes_other_fields_beside_an_image_from_the_query(client, ink):
    """The answers are those of the same drawing as JSON."""
    gray = Image.fromarray((ink[::10, ::10] * 255).round().astype(np.uint8))
    vector = (np.asarray(gray) / 255).ravel().tolist()
    for path, fields in (
        ("/explain", {"changes": [{"layer": 0, "unit": 0}]}),
        ("/unit", {"layer": 0, "place": [0, 3, 3]}),
        ("/learn", {"lessons": [{"label": 3, "learning_rate": 0.1}]}),
    ):
        beside = client.post(f"{path}{options(**fields)}", content=png_of(gray), headers={"Content-Type": "image/png"})
        answers = [
            answer.json() | {"prediction_id": ""}
            for answer in (beside, client.post(path, json={"image_vector": vector, **fields}))
        ]
        assert beside.status_code == 200
        assert answers[0] == answers[1]


def test_returns_occlusion_on_request(ask, network, numbers):
    assert "occlusion" not in ask()
    answer = ask("/explain/?occlusion=true")
    Explanation.model_validate(answer)
    np.testing.assert_allclose(numbers(answer["occlusion"]), occlusion(network, image_of(answer)), atol=1e-5)


def test_explains_an_edited_copy(ask, network, numbers):
    last = len(network.layers) - 1
    answer = ask(changes=[{"layer": last, "unit": 7, "weight": "bias", "value": 50.0}, {"layer": last, "unit": 2}])
    image = image_of(answer)
    copy = with_edits(network, [Edit(last, 7, "bias", 50.0), Edit(last, 2, None, 0.0)])
    np.testing.assert_array_equal(np.float32(answer["logits"]), activations(copy, image)[-1])
    np.testing.assert_array_equal(numbers(answer["gradients"]), logit_gradients(copy, image))
    assert (answer["digit"], answer["logits"][2]) == (7, 0.0)


@pytest.mark.parametrize(("layer", "place"), [(0, [2, 10, 11]), (1, [0, 5, 6]), (4, [9])])
@pytest.mark.parametrize("changes", [[], [Edit(0, 1, 3, 2.0)]], ids=["served", "changed"])
def test_returns_digitnet_s_unit(ask, models, network, layer, place, changes, numbers):
    answer = ask("/unit", layer=layer, place=place, changes=[change._asdict() for change in changes])
    UnitResponse.model_validate(answer)
    expected = inspect_unit(with_edits(network, changes), image_of(ask()), layer, place)
    assert answer["model_version"] == models.alias("live")
    assert (answer["value"], answer["bias"]) == (expected.value, expected.bias)
    np.testing.assert_array_equal(numbers(answer["inputs"]), expected.inputs)
    np.testing.assert_array_equal(numbers(answer["weights"]), expected.weights)
    assert answer["field"] == expected.field._asdict()


@pytest.mark.parametrize(
    ("path", "asked", "field"),
    [
        ("/explain", {"changes": [{"layer": 0, "unit": 0, "weight": "b"}]}, "changes.0.weight"),
        ("/explain", {"changes": [{"layer": 0, "unit": -1}]}, "changes.0.unit"),
        ("/explain", {"changes": [{"layer": 0, "unit": 0, "weights": [1]}]}, "changes.0.weights"),
        ("/unit", {"layer": 5, "place": [0]}, "layer: this network has 5, which count from 0, so there is no 5"),
        ("/unit", {"layer": 0, "place": []}, "place"),
        ("/unit", {"layer": True, "place": [0, 0, -1]}, "layer"),
    ],
)
def test_error_names_the_missing_part(client, strokes, path, asked, field):

    response = client.post(path, json={"strokes": strokes, **asked})
    assert response.status_code == 422
    assert field in response.json()["detail"]


def test_explanations_are_not_logged_as_predictions(serve, models, prediction_log_url, prediction_log, strokes, samples):
    with serve(models.folder, prediction_log=prediction_log_url) as client:
        for path, where in (("/explain", {}), ("/unit", {"layer": 4, "place": [0]})):
            client.post(path, json={"strokes": strokes, **where}).raise_for_status()
        found = samples(client)
    counters = ("api_predict_calls_total", "doodle_explanations_total", "doodle_units_looked_at_total")
    assert [found[name, ()] for name in counters] == [0, 1, 1]
    assert prediction_log.recent_predictions(10) == []


@pytest.mark.parametrize(("body", "code"), [({}, 422), ({"image_vector": [0.5] * 7}, 400)])
@pytest.mark.parametrize("path", ["/explain", "/snapshots"])
def test_rejects_the_same_bodies_as_predict(client, path, body, code):
    rejected, by_predict = (client.post(each, json=body, headers={"X-Request-ID": "1"}) for each in (path, "/predict"))
    assert (rejected.status_code, rejected.json()) == (code, by_predict.json())
