"""POST /unit: one number of a layer, as digitnet takes it apart."""

import numpy as np
import pytest
from digitnet.units import Change, changed, look_at
from inference.schemas import UnitSeen
from stores.folder_models import FolderModels

LAYERS = [
    {"conv2d": {"filters": 4, "kernel_size": 5}},
    {"maxpool2d": {"size": 2}},
    "relu",
    "flatten",
    {"dense": {"units": 11}},
]


@pytest.fixture
def models(tmp_path, publish_model):
    models = FolderModels(tmp_path / "models")
    models.promote(publish_model(models.folder, 3, {}, LAYERS)["version"])
    return models


@pytest.fixture
def client(models, serve):
    with serve(models.folder) as client:
        yield client


@pytest.mark.parametrize(("layer", "place"), [(0, [2, 10, 11]), (1, [0, 5, 6]), (2, [3, 0, 11]), (3, [100]), (4, [9])])
def test_it_is_what_digitnet_sees(client, models, strokes, layer, place, numbers):
    response = client.post("/unit", json={"strokes": strokes, "layer": layer, "place": place})
    assert response.status_code == 200, response.text
    answer = response.json()
    UnitSeen.model_validate(answer)
    picture = np.array(client.post("/explain", json={"strokes": strokes}).json()["input"], np.float32)
    network, card = models.load(models.pointer("live"))
    expected = look_at(network, picture, layer, place)
    assert (answer["model_version"], answer["value"], answer["bias"]) == (card["version"], expected.value, expected.bias)
    np.testing.assert_array_equal(numbers(answer["inputs"]), expected.inputs)
    np.testing.assert_array_equal(numbers(answer["weights"]), expected.weights)
    assert answer["field"] == expected.field._asdict()


def test_of_a_changed_copy_as_well(client, models, strokes, numbers):
    body = {"strokes": strokes, "layer": 0, "place": [1, 12, 12], "changes": [{"layer": 0, "unit": 1, "weight": 3, "value": 2.0}]}
    answer = client.post("/unit", json=body).json()
    picture = np.array(client.post("/explain", json={"strokes": strokes}).json()["input"], np.float32)
    network, _ = models.load(models.pointer("live"))
    expected = look_at(changed(network, [Change(0, 1, 3, 2.0)]), picture, 0, (1, 12, 12))
    assert numbers(answer["weights"])[0, 0, 3] == 2.0
    assert answer["value"] == expected.value


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"layer": 5, "place": [0]}, "layer: this network has 5, which count from 0, so there is no 5"),
        ({"layer": 0, "place": [0]}, "place: layer 0 gives out (4, 24, 24)"),
        ({"layer": 0, "place": [0, 24, 0]}, "which has no (0, 24, 0)"),
        ({"layer": 0, "place": []}, "place"),
        ({"layer": 0, "place": [0, 0, -1]}, "place.2"),
        ({"layer": True, "place": [0, 0, 0]}, "layer"),
        ({"place": [0]}, "layer"),
    ],
)
def test_a_unit_that_is_not_there_is_named(client, strokes, where, said):
    response = client.post("/unit", json={"strokes": strokes, **where})
    assert response.status_code == 422
    assert said in response.json()["detail"]


def test_it_is_counted_and_no_prediction(client, strokes):
    client.post("/unit", json={"strokes": strokes, "layer": 4, "place": [0]})
    metrics = client.get("/metrics").text
    assert "doodle_units_looked_at_total 1.0" in metrics
    assert "api_predict_calls_total 0.0" in metrics
