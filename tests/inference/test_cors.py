"""Other websites may read nothing unless the operator says so; and no form can do what a script may not."""

import json

import pytest

OURS, OTHERS = "https://ours.example", "https://others.example"
ASKED_ALONG = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,x-api-key"}


@pytest.fixture
def open_client(serve, models_folder):
    with serve(models_folder, raise_server_exceptions=False, cors_origins=OURS) as client:
        yield client


def test_by_default_nothing_is_said_to_other_websites(service, strokes):
    headers = {"Origin": OURS}
    answers = [
        service.client.options("/predict", headers=headers | ASKED_ALONG),
        service.client.post("/predict", json={"strokes": strokes}, headers=headers),
        service.client.get("/nothing", headers=headers),
    ]
    assert not any(name.startswith("access-control-") for answer in answers for name in answer.headers)
    assert answers[0].status_code == 405


def test_a_browser_that_asks_first_hears_what_it_may_send(open_client):
    answer = open_client.options("/candidate/predict/", headers={"Origin": OURS} | ASKED_ALONG)
    assert answer.status_code == 200
    said = answer.headers
    assert said["access-control-allow-origin"] == OURS
    assert said["access-control-allow-methods"] == "GET, POST, DELETE"
    assert {"authorization", "content-type", "x-api-key"} <= set(said["access-control-allow-headers"].lower().split(", "))
    assert "access-control-allow-credentials" not in said
    assert "origin" in said["vary"].lower()


@pytest.mark.parametrize("origin", [OTHERS, "https://ours.example:8443"])
def test_one_that_was_not_named_hears_that_it_may_not(open_client, origin):
    first = open_client.options("/predict", headers={"Origin": origin} | ASKED_ALONG)
    assert (first.status_code, "access-control-allow-origin" in first.headers) == (400, False)
    assert "access-control-allow-origin" not in open_client.get("/model", headers={"Origin": origin}).headers


def test_errors_can_be_read_as_answers_can(open_client, strokes, monkeypatch):
    def asked(path, **request):
        return open_client.post(path, headers={"Origin": OURS}, **request)

    answers = [asked("/predict", json={"strokes": strokes}), asked("/predict", json={}), asked("/nothing"), asked("/feedback")]
    monkeypatch.setattr("inference.routes.inspect.explanation", lambda *_: 1 / 0)
    answers.append(asked("/explain", json={"strokes": strokes}))
    assert [answer.status_code for answer in answers] == [200, 422, 404, 415, 500]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == OURS
        assert answer.headers["access-control-expose-headers"] == "Retry-After"


def test_rejections_beyond_the_limit_can_be_read_too(serve, models_folder, strokes, samples, monkeypatch):
    monkeypatch.setattr("inference.app.MAX_REQUESTS", 0)
    with serve(models_folder, cors_origins=OURS) as client:
        answer = client.post("/predict", json={"strokes": strokes}, headers={"Origin": OURS})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, OURS)
        assert client.options("/predict", headers={"Origin": OURS} | ASKED_ALONG).status_code == 200
        found = samples(client)
    assert [found["doodle_http_requests_total", (code, "/predict")] for code in ("200", "429")] == [1, 1]
    assert found["api_predict_calls_total", ()] == found["doodle_predict_errors_total", ("429",)] == 1


SIMPLE = ["text/plain; charset=application/json", "application/x-www-form-urlencoded", "multipart/form-data", None]


@pytest.mark.parametrize("content_type", SIMPLE)
def test_takes_nowhere_what_any_website_may_send_unasked(service, strokes, content_type):
    """A form, or a script that asks nobody: browsers send those content types, or none, without a question first."""
    headers = {"Origin": OTHERS} | ({} if content_type is None else {"Content-Type": content_type})
    body = json.dumps({"strokes": strokes, "image_vector": None, "actual_digit": 3}).encode()
    posts = [path for path, methods in service.get("/openapi.json").json()["paths"].items() if "post" in methods]
    assert len(posts) == 8
    rejected = {path: service.client.post(path, content=body, headers=headers).status_code for path in posts}
    assert rejected == dict.fromkeys(posts, 415) | {"/candidate/predict": 503}  # there is no candidate
