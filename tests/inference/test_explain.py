"""POST /explain: the numbers are digitnet's, whatever form the drawing came in, and nobody's journal or count knows of it."""

import numpy as np
import pytest
from digitnet.explaining import activations, logit_gradients, occlusion
from digitnet.units import Change, changed
from inference.schemas import MAX_CHANGES, Explanation
from stores.folder_models import FolderModels
from stores.journal import open_journal

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dense": {"units": 11}}]
ABOUT = {"temperature": 1.5, "no_digit_threshold": 0.999}


@pytest.fixture
def models(tmp_path, publish_model):
    models = FolderModels(tmp_path / "models")
    models.promote(publish_model(models.folder, 3, ABOUT)["version"])
    return models


@pytest.fixture
def client(models, serve):
    with serve(models.folder) as client:
        yield client


@pytest.fixture(params=["strokes", "image_vector", "png"])
def explained(request, client, strokes, ink, png_of):
    """The answer to the same drawing in each form."""
    if request.param == "png":
        response = client.post("/explain", content=png_of((ink * 255).astype(np.uint8)), headers={"Content-Type": "image/png"})
    else:
        pixels = np.zeros((28, 28))
        pixels[4:24, 10:14] = 0.8
        body = {"strokes": strokes} if request.param == "strokes" else {"image_vector": pixels.ravel().tolist()}
        response = client.post("/explain", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_it_is_all_that_digitnet_computes(explained, models, numbers):
    network, _ = models.load(models.pointer("live"))
    picture = np.array(explained["input"], np.float32)
    assert picture.any()
    for layer, declaration, expected in zip(
        explained["layers"], network.specification, activations(network, picture), strict=True
    ):
        assert layer["declaration"] == declaration
        np.testing.assert_array_equal(numbers(layer["activations"]), expected)
    np.testing.assert_array_equal(np.float32(explained["logits"]), activations(network, picture)[-1])
    gradients = logit_gradients(network, picture)
    np.testing.assert_array_equal(numbers(explained["gradients"]), gradients)
    np.testing.assert_array_equal(np.float32(explained["saliency"]), gradients[explained["digit"]])


def test_the_answer_is_a_prediction_s_and_follows_from_the_logits(explained):
    Explanation.model_validate(explained)
    logits = np.array(explained["logits"][:10]) / explained["temperature"]
    np.testing.assert_allclose(
        np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum(), explained["probabilities"], atol=1e-6
    )
    assert explained["digit"] == explained["Result"] == int(np.argmax(logits))
    assert explained["temperature"] == ABOUT["temperature"]


def test_it_reads_as_predict_does(client, strokes):
    explained, predicted = (client.post(path, json={"strokes": strokes}).json() for path in ("/explain", "/predict?input=true"))
    for name in ("digit", "is_digit", "probabilities", "confidence", "model_version"):
        assert explained[name] == predicted[name]
    np.testing.assert_allclose(explained["input"], predicted["input"], atol=5e-5)


def test_occlusion_comes_where_it_is_asked_for(client, strokes, models, numbers):
    assert "occlusion" not in client.post("/explain", json={"strokes": strokes}).json()
    answer = client.post("/explain/?occlusion=true", json={"strokes": strokes}).json()
    Explanation.model_validate(answer)
    network, _ = models.load(models.pointer("live"))
    expected = occlusion(network, np.array(answer["input"], np.float32))
    np.testing.assert_allclose(numbers(answer["occlusion"]), expected, atol=1e-5)


class TestChanges:
    """A copy of the network in which something is different; the served one is nobody's to change."""

    def test_the_changed_copy_explains_itself(self, client, models, strokes, numbers):
        network, _ = models.load(models.pointer("live"))
        last = len(network.layers) - 1
        changes = [{"layer": last, "unit": 7, "weight": "bias", "value": 50.0}, {"layer": last, "unit": 2}]
        answer = client.post("/explain", json={"strokes": strokes, "changes": changes}).json()
        picture = np.array(answer["input"], np.float32)
        copy = changed(network, [Change(last, 7, "bias", 50.0), Change(last, 2, None, 0.0)])
        np.testing.assert_array_equal(np.float32(answer["logits"]), activations(copy, picture)[-1])
        np.testing.assert_array_equal(numbers(answer["gradients"]), logit_gradients(copy, picture))
        assert (answer["digit"], answer["logits"][2]) == (7, 0.0)

    def test_whoever_asks_next_is_read_as_before(self, client, strokes):
        before = client.post("/predict", json={"strokes": strokes}).json()["probabilities"]
        changes = [{"layer": 0, "unit": unit} for unit in range(4)]
        changed = client.post("/explain", json={"strokes": strokes, "changes": changes}).json()
        assert changed["probabilities"] != before
        assert client.post("/predict", json={"strokes": strokes, "changes": changes}).json()["probabilities"] == before

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"layer": 1, "unit": 0}, "layer 1 has no weights"),
            ({"layer": 9, "unit": 0}, "there is no 9"),
            ({"layer": 0, "unit": 99}, "there is no 99"),
            ({"layer": 0, "unit": 0, "weight": 25}, "there is no 25"),
            ({"layer": 0, "unit": 0, "weight": "b"}, "changes.0.weight"),
            ({"layer": 0, "unit": -1}, "changes.0.unit"),
            ({"layer": 0, "unit": 0, "value": 1e9}, "changes.0.value"),
            ({"layer": 0, "unit": 0, "weights": [1]}, "changes.0.weights"),
            ({"unit": 0}, "changes.0.layer"),
        ],
    )
    def test_a_change_that_cannot_be_made_is_named(self, client, strokes, change, said):
        response = client.post("/explain", json={"strokes": strokes, "changes": [change]})
        assert response.status_code == 422
        assert said in response.json()["detail"]

    def test_there_may_be_many_but_not_any_number(self, client, strokes):
        change = {"layer": 0, "unit": 0}
        for count, code in ((MAX_CHANGES, 200), (MAX_CHANGES + 1, 422)):
            assert client.post("/explain", json={"strokes": strokes, "changes": [change] * count}).status_code == code


def test_nothing_of_it_is_counted_as_a_prediction_or_written_down(client, strokes, tmp_path):
    def figures():
        lines = client.get("/metrics").text.splitlines()
        return {name: value for name, value in (line.rsplit(" ", 1) for line in lines) if name.startswith(("api_", "doodle_exp"))}

    before = figures()
    client.post("/explain", json={"strokes": strokes}).raise_for_status()
    assert figures() == {**before, "doodle_explanations_total": "1.0"}
    assert before["doodle_explanations_total"] == "0.0"
    journal = open_journal(f"sqlite:///{tmp_path}/journal.sqlite")
    assert journal.recent_predictions(10) == []
    journal.close()


@pytest.mark.parametrize(
    ("body", "code"), [({}, 422), ({"image_vector": [0.5] * 7}, 400), ({"strokes": "no"}, 422), ({"strokes": []}, 200)]
)
def test_what_predict_refuses_it_refuses_with_the_same_words(client, body, code):
    explained, predicted = client.post("/explain", json=body), client.post("/predict", json=body)
    assert (explained.status_code, predicted.status_code) == (code, code)
    if code != 200:
        assert explained.json() == predicted.json()


def test_a_blank_drawing_is_explained_too(client):
    answer = client.post("/explain", json={"strokes": []}).json()
    assert not answer["is_digit"]
    assert not np.any(answer["input"])


def test_without_a_model_there_is_nothing_to_explain(tmp_path, strokes, serve):
    with serve(tmp_path / "none") as client:
        assert client.post("/explain", json={"strokes": strokes}).status_code == 503


def test_a_perceptron_is_explained_as_well(tmp_path, publish_model, strokes, serve):
    models = FolderModels(tmp_path / "models")
    models.promote(publish_model(models.folder, 3, layers=LAYERS)["version"])
    with serve(models.folder) as client:
        answer = client.post("/explain", json={"strokes": strokes}).json()
    assert [layer["activations"]["shape"] for layer in answer["layers"]] == [[784], [12], [12], [11]]
