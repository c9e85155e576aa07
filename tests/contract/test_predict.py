"""Hold the service to predict.json, the contract between page and service. tests/frontend holds the page to it."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import PredictionResponse
from inference.settings import Settings
from stores.models import LIVE
from stores.models.folder import FolderModels

CONTRACT = json.loads((Path(__file__).parent / "predict.json").read_text(encoding="utf-8"))


def test_service_accepts_the_page_s_request_and_describes_its_answer():
    request = PredictRequest.model_validate_json(json.dumps(CONTRACT["request"]))
    assert [list(map(list, stroke)) for stroke in request.strokes] == CONTRACT["request"]["strokes"]
    assert (request.width, request.height, request.brush) == (280, 280, 20)
    PredictionResponse.model_validate_json(json.dumps(CONTRACT["answer"]))
    assert set(CONTRACT["answer"]) == set(PredictionResponse.model_fields) - {"input"}


@pytest.mark.parametrize("rejection", CONTRACT["refusals"], ids=lambda rejection: str(rejection["status"]))
def test_rejections_match_the_contract(rejection, save_model, tmp_path):
    """Cause each rejection. Its detail may be longer than the file's."""
    bodies = {400: {"image_vector": [0.0, 0.5, 1.0]}, 422: {"strokes": [[[1, "two"]]]}, 503: {"strokes": []}}
    if rejection["status"] != 503:
        save_model(tmp_path / "model")
        models = FolderModels(tmp_path / "models")
        models.point(LIVE, models.publish(tmp_path / "model")["version"])
    settings = Settings(models=str(tmp_path / "models"), prediction_log=f"sqlite:///{tmp_path}/journal.sqlite")
    with TestClient(create_app(settings)) as client:
        answer = client.post("/predict", json=bodies[rejection["status"]])
    assert answer.status_code == rejection["status"]
    expected = rejection["answer"]
    assert answer.json() == expected | {name: answer.json()[name] for name in ("detail", "request_id")}
    assert answer.json()["detail"].startswith(expected["detail"])
