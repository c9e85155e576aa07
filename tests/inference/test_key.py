"""DOODLE_API_KEY: who gives feedback, or asks for a model by its pointer, must bring it; drawing needs none."""

import base64
import logging

import pytest
from inference import key as module

KEY = "correct-horse-battery-staple"
WAYS = {
    "bearer": {"Authorization": f"Bearer {KEY}"},
    "bearer in small letters": {"Authorization": f"bearer {KEY}"},
    "header": {"X-API-Key": KEY},
    "header beside a proxy's log-in": {"X-API-Key": KEY, "Authorization": "Basic bWU6bWU="},
}
OTHERS = {
    "none": {},
    "another": {"X-API-Key": f"{KEY}!"},
    "the beginning of it": {"X-API-Key": KEY[:-1]},
    "none at all": {"X-API-Key": ""},
    "a bearer of nothing": {"Authorization": "Bearer"},
    "without bearer": {"Authorization": KEY},
    "as a password": {"Authorization": f"Basic {base64.b64encode(KEY.encode()).decode()}"},
    "what is not ASCII": {"X-API-Key": "schlüssel".encode("latin-1")},
    "in a cookie": {"Cookie": f"X-API-Key={KEY}"},
}
GUARDED = [
    ("POST", "/feedback"),
    ("POST", "/live/predict"),
    ("GET", "/live/model"),
    ("POST", "/candidate/predict"),
    ("GET", "/candidate/model"),
    ("GET", "/candidate/disagreements"),
]


@pytest.fixture
def client(serve, models_folder):
    with serve(models_folder, api_key=KEY) as client:
        yield client


@pytest.fixture
def answer(client, strokes):
    return client.post("/predict", json={"strokes": strokes}).json()


def feedback(client, answer, headers):
    body = {"prediction_id": answer["prediction_id"], "actual_digit": 3}
    return client.post("/feedback", json=body, headers=headers)


@pytest.mark.parametrize("way", WAYS)
def test_with_it_all_is_as_ever(client, answer, strokes, way):
    assert feedback(client, answer, WAYS[way]).status_code == 200
    assert client.post("/live/predict", json={"strokes": strokes}, headers=WAYS[way]).status_code == 200
    assert client.get("/live/model", headers=WAYS[way]).status_code == 200
    assert client.get("/candidate/disagreements", headers=WAYS[way]).json() == {"disagreements": []}


@pytest.mark.parametrize("other", OTHERS)
def test_without_it_feedback_is_not_taken(client, answer, other):
    refused = feedback(client, answer, OTHERS[other])
    assert (refused.status_code, refused.json()) == (401, {"detail": module.WORDS})
    assert refused.headers["www-authenticate"] == "Bearer"
    assert client.get("/metrics").text.count('doodle_feedback_errors_total{code="401"} 1.0') == 1
    assert 'doodle_feedback_total{verdict="wrong"} 0.0' in client.get("/metrics").text


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("slash", ["", "/"])
def test_nothing_else_is_said_to_who_has_none(client, method, path, slash):
    """Not even that the body is none."""
    assert client.request(method, path + slash, content=b"nothing").status_code == 401


def test_what_it_guards_is_all_that_is_about_pointers_and_feedback(client):
    described = client.get("/openapi.json").json()["paths"]
    guarded = {
        (method.upper(), path) for path, methods in described.items() for method, what in methods.items() if "security" in what
    }
    assert guarded == set(GUARDED)
    assert guarded == {
        (method.upper(), path)
        for path, methods in described.items()
        for method in methods
        if path.startswith(("/feedback", "/live/", "/candidate/"))
    }


def test_to_draw_one_needs_none(client, strokes):
    for path in ("/predict", "/explain", "/predict?input=true"):
        assert client.post(path, json={"strokes": strokes}).status_code == 200
    for path in ("/model", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert client.get(path).status_code == 200


def test_the_description_says_how_it_is_sent(client):
    description = client.get("/openapi.json").json()
    schemes = description["components"]["securitySchemes"].values()
    assert sorted((each["type"], each.get("scheme"), each.get("name")) for each in schemes) == [
        ("apiKey", None, "X-API-Key"),
        ("http", "bearer", None),
    ]
    for method, path in GUARDED:
        operation = description["paths"][path][method.lower()]
        assert len(operation["security"]) == 2  # either will do
        assert operation["responses"]["401"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")


def test_where_none_is_set_none_is_asked_for_and_nothing_is_said_of_it(serve, models_folder, strokes):
    with serve(models_folder) as client:
        assert client.get("/live/model").status_code == 200
        description = client.get("/openapi.json").text
        assert "securitySchemes" not in description
        assert '"401"' not in description


def test_it_is_in_no_log_and_no_answer(serve, models_folder, answer, caplog):
    caplog.set_level(logging.DEBUG)
    with serve(models_folder, api_key=KEY) as client:
        for headers in (WAYS["header"], OTHERS["another"], OTHERS["the beginning of it"]):
            feedback(client, answer, headers)
            assert KEY[:-1] not in client.get("/live/model", headers=headers).text
    assert "event=refused path=/feedback code=401" in caplog.text
    assert KEY[:-1] not in caplog.text
