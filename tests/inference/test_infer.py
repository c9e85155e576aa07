"""The Open Inference Protocol v2: batches, from a public client and by hand, with the answers of /predict."""

import json

import numpy as np
import pytest
from app_server import serving
from inference.app import create_app
from inference.schemas.infer import MAX_IMAGES, InferResponse
from inference.settings import Settings

URL = "/v2/models/doodle/infer"
IMAGES = (np.random.default_rng(0).random((5, 28, 28)) * np.tri(28) * 255).astype(np.uint8)
IMAGES[3] = 0  # no digit


def request(images=IMAGES, datatype="UINT8", shape=None, **fields):
    tensor = {"name": "images", "shape": list(shape or images.shape), "datatype": datatype, "data": images.tolist()}
    return {"inputs": [tensor | fields.pop("tensor", {})], **fields}


@pytest.fixture(scope="module")
def answers(service):
    """Return the answers of /predict for the images as vectors."""
    return [service.post_json({"image_vector": (image.ravel() / 255).tolist()}).json() for image in IMAGES]


def test_a_public_client_gets_the_answers_of_predict(models_folder, tmp_path, answers):
    http = pytest.importorskip("tritonclient.http")
    settings = Settings(models=str(models_folder), prediction_log=f"sqlite:///{tmp_path}/journal.sqlite")
    with serving(create_app(settings)) as url:
        client = http.InferenceServerClient(url.removeprefix("http://"))
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("doodle")
        described = client.get_model_metadata("doodle")
        assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
        for datatype, images in (("FP32", (IMAGES / np.float32(255)).astype(np.float32)), ("UINT8", IMAGES)):
            for is_binary in (True, False):
                tensor = http.InferInput(described["inputs"][0]["name"], list(images.shape), datatype)
                tensor.set_data_from_numpy(images, binary_data=is_binary)
                result = client.infer("doodle", [tensor], request_id="mine")
                assert result.get_response()["id"] == "mine"
                expected = [answer["probabilities"] for answer in answers]
                np.testing.assert_allclose(result.as_numpy("probabilities"), expected, atol=1e-5)
                labels = [-1 if answer["digit"] is None else answer["digit"] for answer in answers]
                assert result.as_numpy("label").tolist() == labels
        client.close()


def test_counts_images_as_batch_and_logs_none(client, prediction_log, samples):
    many = np.tile(IMAGES, (2, 1, 1))
    answer = client.post(URL, json=request(many, outputs=[{"name": "label"}], id="7"))
    found = InferResponse.model_validate_json(answer.content)
    assert (found.id, [output.shape for output in found.outputs]) == ("7", [[10]])
    assert samples(client)["doodle_drawings_total", ("batch",)] == 10
    client.__exit__()
    assert prediction_log.summary().predictions_total == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (request(tensor={"name": "pictures"}), "#/inputs/0/name"),
        (request(shape=[5, 28]), "#/inputs/0/shape"),
        (request(shape=[MAX_IMAGES + 1, 28, 28]), "#/inputs/0/shape"),
        (request(shape=[4, 28, 28]), "#/inputs/0/data"),
        (request(tensor={"datatype": "INT8"}), "#/inputs/0/datatype"),
        (request(tensor={"data": [[0] * 784, [0]]}), "#/inputs/0/data"),
        (request(tensor={"data": ["0"] * 3920}), "#/inputs/0/data"),
        (request(tensor={"data": [256] * 3920}), "#/inputs/0/data"),
        (request(IMAGES / 2, "FP32"), "#/inputs/0/data"),
        (request(tensor={"data": None, "parameters": {"binary_data_size": 3920}}), "#/inputs/0/data"),
        ({"inputs": []}, "#/inputs"),
    ],
)
def test_names_what_is_wrong_in_a_tensor(service, body, pointer):
    answer = service.post_json(body, URL)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.text


def test_rejects_an_unknown_output_and_another_content_type(service):
    assert "probabilities" in service.post_json(request(outputs=[{"name": "logits"}]), URL).json()["detail"]
    assert service.post_bytes(json.dumps(request()).encode(), "text/plain", URL).status_code == 415


def test_a_batch_takes_the_places_of_its_work(serve, models_folder, monkeypatch):
    monkeypatch.setattr("inference.app.MAX_REQUESTS", 2)
    with serve(models_folder) as client:
        sizes = {1: 200, 8: 200, 9: 429}
        assert {n: client.post(URL, json=request(np.resize(IMAGES, (n, 28, 28)))).status_code for n in sizes} == sizes
        assert client.post(URL, json=request()).headers["ratelimit"].startswith('"in-flight";r=')
