"""Predictions by alias, from the candidate or the live model."""

import pytest
from stores.models import CANDIDATE, LIVE
from stores.models.folder import FolderModels


@pytest.fixture
def models(tmp_path):
    return FolderModels(tmp_path / "models")


@pytest.fixture
def versions(models, publish_model):
    """Publish a live model and a candidate; return their versions."""
    candidate, live = (publish_model(models.folder, seed)["version"] for seed in (2, 1))  # the last one is live
    models.point(CANDIDATE, candidate)
    return {LIVE: live, CANDIDATE: candidate}


@pytest.fixture
def client(models, serve, prediction_log_url):
    with serve(models.folder, prediction_log=prediction_log_url, model_check_seconds=0.05) as client:
        yield client


@pytest.fixture
def sample(client, samples):
    return lambda name, *labels: samples(client).get((name, labels))


@pytest.mark.parametrize("alias", [LIVE, CANDIDATE])
@pytest.mark.parametrize("slash", ["", "/"])
def test_predicts_with_the_model_of_the_alias(versions, client, strokes, alias, slash):
    answer = client.post(f"/{alias}/predict{slash}?input=true", json={"strokes": strokes}).json()
    assert answer["model_version"] == client.get(f"/{alias}/model{slash}").json()["version"] == versions[alias]
    live = client.post("/predict?input=true", json={"strokes": strokes}).json()
    assert live["model_version"] == client.get("/model").json()["version"] == versions[LIVE]
    assert live.pop("prediction_id") != answer.pop("prediction_id")
    assert (answer == live) is (alias == LIVE)
    assert (answer.keys(), answer["input"]) == (live.keys(), live["input"])


def test_predictions_by_alias_are_neither_counted_nor_logged(versions, client, sample, strokes, prediction_log):
    for alias in (LIVE, CANDIDATE):
        for query in ("", "?input=5"):
            client.post(f"/{alias}/predict{query}", json={"strokes": strokes})
        rejected = client.post(f"/{alias}/predict", json={"image_vector": [0.5]})
        assert (rejected.status_code, rejected.json()["detail"]) == (400, "Expected 784 values for MNIST image, got 1")
        assert sample("doodle_trial_predictions_total", alias) == 1
    assert sample("api_predict_calls_total") == sample("prediction_error_total") == 0
    assert sample("doodle_drawings_total", "strokes") == 0
    client.post("/predict", json={"strokes": strokes})
    client.__exit__()
    assert prediction_log.summary().predictions_total == 1


def test_loads_and_unloads_the_candidate_with_its_alias(versions, models, client, sample, strokes, eventually):
    assert sample("doodle_candidate_loaded") == sample("doodle_candidate_info", versions[CANDIDATE]) == 1
    models.clear(CANDIDATE)
    eventually(lambda: client.get("/candidate/model").status_code == 404, "the candidate is gone")
    response = client.post("/candidate/predict", json={"strokes": strokes})
    assert (response.status_code, response.json()["detail"]) == (404, "there is no candidate")
    assert sample("doodle_candidate_loaded") == 0
    assert sample("doodle_candidate_info", versions[CANDIDATE]) is None
    assert client.get("/model").json()["version"] == versions[LIVE]
    models.point(CANDIDATE, versions[CANDIDATE])
    eventually(lambda: client.get("/candidate/model").status_code == 200, "it is back")
