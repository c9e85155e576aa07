"""The service waits for a model and replaces it without a restart."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

STROKES = {"strokes": [[[140, 40], [150, 240]]]}
NO_MODEL = "there is no model yet: send this again after the trainer has published one"  # and no path


@pytest.fixture
def following(serve, tmp_path):
    """Run a service without a model, which tests publish."""
    with serve(tmp_path, model_check_seconds=0.05) as client:
        yield client


@pytest.mark.parametrize("slash", ["", "/"])
def test_answers_503_without_a_model(following, samples, strokes, slash):
    for path in ("/healthz", "/metrics", "/docs", "/openapi.json"):
        assert following.get(path).status_code == 200
    assert following.post("/feedback", json={"image_vector": [0.5] * 784, "actual_digit": 5}).status_code == 200
    for path in ("/readyz", "/model"):
        response = following.get(path + slash)
        assert (response.status_code, response.json()["detail"]) == (503, NO_MODEL)
    for path in ("/predict", "/explain", "/snapshots"):
        response = following.post(path + slash, json=STROKES)
        assert (response.status_code, response.json()["detail"]) == (503, NO_MODEL)
        assert int(response.headers["retry-after"]) > 0
    assert following.get("/snapshots").status_code == 503
    found = samples(following)
    counted = [("api_predict_calls_total", ()), ("prediction_error_total", ()), ("doodle_predict_errors_total", ("503",))]
    assert [found[name] for name in counted] == [1, 1, 1]
    assert found["doodle_model_loaded", ()] == 0


def test_loads_new_models_without_a_failed_request(following, tmp_path, publish_model, eventually, samples):
    stop, answers = threading.Event(), {}

    def publish(seed):
        version = publish_model(tmp_path, seed)["version"]
        eventually(lambda: following.get("/model").json().get("version") == version, "the new model is in service")
        return version

    def keep_asking():
        while not stop.is_set():
            response = following.post("/predict", json=STROKES)
            assert response.status_code == 200
            answers.setdefault(response.json()["model_version"], set()).add(tuple(response.json()["probabilities"]))

    publish(1)
    assert following.get("/readyz").status_code == 200
    with ThreadPoolExecutor() as threads:
        asking = [threads.submit(keep_asking) for _ in range(3)]
        try:
            versions = [publish(seed) for seed in range(2, 5)]
        finally:
            stop.set()
    for each in asking:
        each.result()
    assert set(versions) <= set(answers)
    assert all(len(probabilities) == 1 for probabilities in answers.values()), "a version gave different answers"
    found = samples(following)
    assert {labels for name, labels in found if name == "doodle_model_info"} == {(versions[-1],)}
    assert found["doodle_model_loads_total", ("loaded",)] == 4
