"""CORS: other websites can read nothing by default, and forms cannot bypass the check."""

import json

import pytest

OURS, OTHERS = "https://ours.example", "https://others.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-api-key"}


@pytest.fixture
def open_client(serve, models_folder):
    with serve(models_folder, raise_server_exceptions=False, cors_origins=OURS) as client:
        yield client


def test_sends_no_cors_headers_by_default(service, strokes):
    headers = {"Origin": OURS}
    answers = [
        service.client.options("/predict", headers=headers | PREFLIGHT),
        service.client.post("/predict", json={"strokes": strokes}, headers=headers),
        service.client.get("/nothing", headers=headers),
    ]
    assert not any(name.startswith("access-control-") for answer in answers for name in answer.headers)
    assert answers[0].status_code == 204


def test_answers_preflight_requests_of_an_allowed_origin(open_client):
    answer = open_client.options("/candidate/predict/", headers={"Origin": OURS} | PREFLIGHT)
    assert answer.status_code == 200
    headers = answer.headers
    assert headers["access-control-allow-origin"] == OURS
    assert headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE"
    assert {"authorization", "content-type", "x-api-key"} <= set(headers["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-credentials" not in headers
    assert "origin" in headers["vary"].lower()


@pytest.mark.parametrize("origin", [OTHERS, "https://ours.example:8443"])
def test_rejects_other_origins(open_client, origin):
    first = open_client.options("/predict", headers={"Origin": origin} | PREFLIGHT)
    assert (first.status_code, "access-control-allow-origin" in first.headers) == (400, False)
    assert "access-control-allow-origin" not in open_client.get("/model", headers={"Origin": origin}).headers


def test_allowed_origins_can_read_errors(open_client, strokes, monkeypatch):
    def asked(path, **request):
        return open_client.post(path, headers={"Origin": OURS}, **request)

    answers = [asked("/predict", json={"strokes": strokes}), asked("/predict", json={}), asked("/nothing"), asked("/feedback")]
    monkeypatch.setattr("inference.routes.inspect.explanation", lambda *_: 1 / 0)
    answers.append(asked("/explain", json={"strokes": strokes}))
    assert [answer.status_code for answer in answers] == [200, 422, 404, 415, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == OURS
        assert {"Retry-After", "X-Request-ID"} <= set(answer.headers["access-control-expose-headers"].split(", "))


def test_allowed_origins_can_read_429(serve, models_folder, strokes, samples, monkeypatch):
    monkeypatch.setattr("inference.app.MAX_REQUESTS", 0)
    with serve(models_folder, cors_origins=OURS) as client:
        answer = client.post("/predict", json={"strokes": strokes}, headers={"Origin": OURS})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, OURS)
        assert client.options("/predict", headers={"Origin": OURS} | PREFLIGHT).status_code == 200
        found = samples(client)
    assert [found["doodle_http_requests_total", (code, "/predict")] for code in ("200", "429")] == [1, 1]
    assert found["api_predict_calls_total", ()] == found["doodle_predict_errors_total", ("429",)] == 1


SIMPLE = ["text/plain; charset=application/json", "application/x-www-form-urlencoded", "multipart/form-data", None]


@pytest.mark.parametrize("content_type", SIMPLE)
def test_rejects_content_types_that_need_no_preflight(service, strokes, content_type):
    """Browsers send these content types, or none, to any site without a preflight request."""
    # There is no candidate. Clients of the Open Inference Protocol send no content type, and the call stores nothing.
    no_type = {"/v2/models/doodle/infer": 422} if content_type is None else {}
    headers = {"Origin": OTHERS} | ({} if content_type is None else {"Content-Type": content_type})
    body = json.dumps({"strokes": strokes, "image_vector": None, "actual_digit": 3}).encode()
    posts = [path for path, methods in service.get("/openapi.json").json()["paths"].items() if "post" in methods]
    assert len(posts) == 10
    rejected = {path: service.client.post(path, content=body, headers=headers).status_code for path in posts}
    assert rejected == dict.fromkeys(posts, 415) | {"/candidate/predict": 404} | no_type
