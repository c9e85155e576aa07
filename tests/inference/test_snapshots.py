"""/snapshots returns the live model's training history and its predictions at each snapshot."""

import numpy as np
import pytest
from digitnet.decision import Decision
from inference.schemas.responses import SnapshotPredictions, SnapshotsResponse
from stores.models.folder import FolderModels

LAYERS = ["flatten", {"dense": {"units": 12}}, "relu", {"dense": {"units": 11}}]
ABOUT = {"temperature": 1.5, "training": {"epochs": 2}}
LOSSES = ["train_loss", "validation_loss", "validation_accuracy"]
MEASURED = [*LOSSES, "learning_rate", "gradient_norm", "update_ratio", "dead_units"]


@pytest.fixture
def models(tmp_path):
    return FolderModels(tmp_path)


@pytest.fixture
def client(models, publish_model, serve):
    publish_model(models.folder, 3, ABOUT, LAYERS, snapshots=True)
    with serve(models.folder, model_check_seconds=0.05) as client:
        yield client


@pytest.fixture
def kept(client, models):
    """Return the stored snapshots and their network."""
    version = models.alias("live")
    return models.snapshots(version), models.load(version)[0]


def test_returns_the_measurements_of_each_snapshot(client, kept, numbers):
    answer = client.get("/snapshots").json()
    SnapshotsResponse.model_validate(answer)
    assert (answer["layers"], answer["epochs"]) == (["flatten", "dense", "relu", "dense"], 2)
    snapshots, network = kept
    assert [snapshot["step"] for snapshot in answer["moments"]] == [0, 10, 20]
    for name in MEASURED:
        got = np.array([snapshot[name] for snapshot in answer["moments"]], np.float32)  # None becomes NaN
        np.testing.assert_array_equal(got, getattr(snapshots, name))
    assert answer["mapped"] == [7, 3, 0, 9]
    for index, snapshot in enumerate(answer["moments"]):
        np.testing.assert_array_equal(numbers(snapshot["points"]), snapshots.map_points[index])
        weights = snapshots.network(index, network).layers[1].weights
        np.testing.assert_array_equal(numbers(snapshot["filters"]), weights.reshape(12, 28, 28))


def test_returns_convolution_filters_as_images(models, publish_model, serve):
    layers = [{"conv2d": {"filters": 4, "kernel_size": 5}}, "relu", "flatten", {"dense": {"units": 10}}]
    publish_model(models.folder, 4, {}, layers, snapshots=True)
    with serve(models.folder) as client:
        answer = client.get("/snapshots").json()
    assert [snapshot["filters"]["shape"] for snapshot in answer["moments"]] == [[4, 5, 5]] * 3
    assert answer["epochs"] is None  # not in its card


def test_predicts_a_drawing_at_each_snapshot(client, kept, strokes, samples):
    response = client.post("/snapshots", json={"strokes": strokes})
    metrics = samples(client)
    assert (metrics["doodle_snapshot_readings_total", ()], metrics["api_predict_calls_total", ()]) == (1, 0)
    SnapshotPredictions.model_validate(response.json())
    snapshots, network = kept
    image = np.array(client.post("/explain", json={"strokes": strokes}).json()["input"], np.float32)[None]
    readings = response.json()["readings"]
    assert len(readings) == len(snapshots)
    for index, found in enumerate(readings):
        then = snapshots.network(index, network)
        (expected,) = Decision.of(ABOUT).probabilities(then.predict_logits(image))
        np.testing.assert_allclose(found["probabilities"], expected, atol=1e-6)
        assert found["digit"] == int(np.argmax(found["probabilities"]))
        (place,) = (then.predict_features(image) - snapshots.map_origin[index]) @ snapshots.map_axes[index]
        np.testing.assert_allclose(found["place"], place, atol=1e-5)
    np.testing.assert_allclose(readings[0]["probabilities"], 0.1, atol=1e-6)  # before training
    assert readings[-1]["probabilities"] == client.post("/predict", json={"strokes": strokes}).json()["probabilities"]


def test_answers_404_until_there_are_snapshots(models, client, publish_model, strokes, eventually):
    version = publish_model(models.folder, 5, ABOUT, LAYERS)["version"]
    eventually(lambda: client.get("/model").json()["version"] == version, "it is in service")
    words = f"model {version} has no snapshots: the store has none, or they are damaged"
    for response in (client.get("/snapshots"), client.post("/snapshots", json={"strokes": strokes})):
        assert (response.status_code, response.json()["detail"]) == (404, words)
    publish_model(models.folder, 5, ABOUT, LAYERS, snapshots=True)  # the same network with snapshots
    eventually(lambda: client.get("/snapshots").status_code == 200, "they are found")


def test_damaged_snapshots_do_not_affect_predictions(models, publish_model, strokes, caplog, serve):
    version = publish_model(models.folder, 3, ABOUT, LAYERS, snapshots=True)["version"]
    (models.folder / "versions" / version / "snapshots.npz").write_bytes(b"damage")
    with serve(models.folder) as client:
        assert client.get("/snapshots").status_code == 404
        assert client.post("/predict", json={"strokes": strokes}).status_code == 200
    assert f"event=snapshots_refused version={version}" in caplog.text
