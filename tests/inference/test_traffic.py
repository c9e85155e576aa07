"""Every request counts under its route and its status, and nobody can make up labels."""

import pytest
from prometheus_client.parser import text_string_to_metric_families
from stores.folder_models import FolderModels


@pytest.fixture
def client(tmp_path, publish_model, serve):
    models = FolderModels(tmp_path / "models")
    models.promote(publish_model(models.folder, 3, {})["version"])
    with serve(models.folder, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def counted(client):
    """counted(): (route, code) -> requests, those that are not zero."""

    def counted():
        families = text_string_to_metric_families(client.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        requests = {
            (s.labels["route"], s.labels["code"]): s.value for s in samples if s.name == "doodle_http_requests_total" and s.value
        }
        timed = {s.labels["route"]: s.value for s in samples if s.name == "doodle_http_request_seconds_count" and s.value}
        assert sum(requests.values()) == sum(timed.values())
        return requests

    return counted


def test_each_request_counts_under_its_route_and_status(client, counted, strokes):
    client.post("/predict", json={"strokes": strokes})
    client.post("/predict/", json={"strokes": strokes})
    client.post("/predict", json={"image_vector": [0.5]})
    client.post("/predict", json={})
    client.get("/predict")
    client.get("/candidate/model")
    assert counted() == {
        ("/predict", "200"): 2,
        ("/predict", "400"): 1,
        ("/predict", "422"): 1,
        ("/predict", "405"): 1,
        ("/candidate/model", "503"): 1,
    }


def test_what_is_no_route_is_other(client, counted):
    for path in ("/", "/nowhere", "/predict/now", "/%00", "/" + "a" * 3000):
        client.get(path)
    assert counted() == {("other", "404"): 5}


def test_a_fault_of_ours_counts_as_500(client, counted, monkeypatch, strokes):
    monkeypatch.setattr("inference.predictor.Model.read", lambda *_: 1 / 0)
    assert client.post("/explain", json={"strokes": strokes}).status_code == 500
    assert counted() == {("/explain", "500"): 1}


def test_every_route_is_there_from_the_start(client):
    text = client.get("/metrics").text
    paths = client.get("/openapi.json").json()["paths"]
    for path in paths:
        assert f'doodle_http_requests_total{{code="200",route="{path}"}} 0.0' in text


def test_how_sure_answers_are_and_when_they_are_in_the_journal(client, strokes, eventually):
    answer = client.post("/predict", json={"strokes": strokes}).json()
    text = client.get("/metrics").text
    assert "doodle_prediction_confidence_ratio_count 1.0" in text
    assert f"doodle_prediction_confidence_ratio_sum {answer['confidence']}" in text
    written = 'doodle_predict_phase_seconds_count{phase="journal"} 1.0'
    eventually(lambda: written in client.get("/metrics").text, "it is in the journal")
