"""DOODLE_API_KEY protects feedback and models by alias, and not predictions."""

import logging

import pytest
from inference.auth import KEY_NEEDED

KEY = "correct-horse-battery-staple"
RIGHT = {
    "bearer": {"Authorization": f"Bearer {KEY}"},
    "header beside a proxy's log-in": {"X-API-Key": KEY, "Authorization": "Basic bWU6bWU="},
}
WRONG = {
    "none": {},
    "another": {"X-API-Key": f"{KEY}!"},
    "the beginning of it": {"X-API-Key": KEY[:-1]},
    "an empty one": {"X-API-Key": ""},
    "without bearer": {"Authorization": KEY},
    "not ASCII": {"X-API-Key": "schlüssel".encode("latin-1")},
}
GUARDED = [
    *(("POST", path) for path in ("/feedback", "/live/predict", "/candidate/predict")),
    ("PUT", "/predictions/{prediction_id}/feedback"),
    *(("GET", path) for path in ("/live/model", "/candidate/model", "/candidate/disagreements")),
]


@pytest.fixture(scope="module")
def client(serve, models_folder):
    with serve(models_folder, api_key=KEY) as client:
        yield client


@pytest.fixture
def feedback(client, strokes):
    """feedback(headers): send feedback on a prediction and return the response."""
    body = {"prediction_id": client.post("/predict", json={"strokes": strokes}).json()["prediction_id"], "actual_digit": 3}
    return lambda headers: client.post("/feedback", json=body, headers=headers)


@pytest.mark.parametrize("headers", RIGHT.values(), ids=RIGHT)
def test_accepts_the_right_key(client, feedback, strokes, headers):
    assert feedback(headers).status_code == 200
    assert client.post("/live/predict", json={"strokes": strokes}, headers=headers).status_code == 200
    assert client.get("/candidate/disagreements", headers=headers).json() == {"disagreements": []}


@pytest.mark.parametrize("headers", WRONG.values(), ids=WRONG)
def test_rejects_feedback_without_the_key_and_logs_no_key(client, feedback, samples, caplog, headers):
    caplog.set_level(logging.DEBUG)
    before = samples(client)
    rejected = feedback(headers)
    assert (rejected.status_code, rejected.json()["detail"]) == (401, KEY_NEEDED)
    assert rejected.headers["www-authenticate"] == "Bearer"
    after = samples(client)
    changed = {name for name in after if name[0].startswith("doodle_feedback") and after[name] > before[name]}
    assert changed == {("doodle_feedback_errors_total", ("401",))}
    assert "event=refused path=/feedback code=401" in caplog.text
    feedback(RIGHT["bearer"])
    assert KEY[:-1] not in caplog.text + rejected.text


@pytest.mark.parametrize("slash", ["", "/"])
def test_checks_the_key_before_the_body(client, slash):

    answers = {(method, path): client.request(method, path + slash, content=b"nothing").status_code for method, path in GUARDED}
    assert answers == dict.fromkeys(GUARDED, 401)


def test_openapi_describes_the_key(client):
    paths = client.get("/openapi.json").json()["paths"]
    operations = {(method.upper(), path): methods[method] for path, methods in paths.items() for method in methods}
    assert {each for each, operation in operations.items() if "security" in operation} == set(GUARDED)
    assert {each for each in operations if each[1].startswith(("/live/", "/candidate/")) or each[1].endswith("/feedback")} == set(
        GUARDED
    )
    for each in GUARDED:
        assert len(operations[each]["security"]) == 2  # either will do
        assert operations[each]["responses"]["401"]["content"]["application/problem+json"]["schema"]["$ref"].endswith("/Problem")


def test_predictions_need_no_key(client, strokes):
    assert client.post("/explain", json={"strokes": strokes}).status_code == 200
    predicted = client.post("/predict", json={"strokes": strokes}).json()
    assert client.delete(f"/predictions/{predicted['prediction_id']}").status_code == 200
    for path in ("/model", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 200


def test_no_key_is_needed_if_none_is_set(service):
    assert service.get("/live/model").status_code == 200
    description = service.get("/openapi.json").text
    assert "securitySchemes" not in description
    assert '"401"' not in description
