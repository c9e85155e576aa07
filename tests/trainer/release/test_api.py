"""The API client: versions, predictions, retries and errors."""

import json

import pytest
from trainer.release import api as module
from trainer.release.api import Api, ApiError, KeyRefusedError

VERSION, KEY = "0647f3f72a49", "0123456789abcdef"
ANSWER = {"digit": 5, "is_digit": True, "probabilities": [0.1] * 10, "model_version": VERSION}


@pytest.fixture
def server(serve):
    """server(respond): start a server that answers respond(path, body) -> (status, JSON), or disconnects if None.

    Return its Api, with the key of each request in `keys`.
    """

    def server(respond):
        def answer(handler):
            body = handler.rfile.read(int(handler.headers.get("Content-Length", 0))).decode()
            api.keys.append(handler.headers["X-API-Key"])
            status, content = respond(handler.path, body) or (None, None)
            if status is None:
                handler.close_connection = True
                return
            content = content if isinstance(content, bytes) else json.dumps(content).encode()
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)

        api = Api(f"http://127.0.0.1:{serve(answer)}/")
        api.keys = []
        return api

    return server


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF", 0.01)


@pytest.mark.parametrize("url", ["", "127.0.0.1:7000", "ftp://somewhere", "http://"])
def test_rejects_invalid_urls(url):
    with pytest.raises(ApiError, match="not the address of a service"):
        Api(url)


def test_an_unreachable_service_is_an_error(free_port):
    api = Api(f"http://127.0.0.1:{free_port()}")
    assert not api.is_up
    assert not api.serves("live", VERSION)
    with pytest.raises(ApiError, match="cannot be reached"):
        api.version("live")
    with pytest.raises(ApiError, match=r"cannot be reached"):
        api.predict("live", ["{}"])


def test_another_program_is_an_error(server):
    api = server(lambda *_: (200, b"<html>hello</html>"))
    assert not api.is_up
    with pytest.raises(ApiError, match=r"live/model returned no model card, but 200"):
        api.version("live")


def test_reads_the_version_from_the_card(server):
    cards = {"/live/model": (200, {"version": VERSION}), "/candidate/model": (404, {"detail": "there is no candidate"})}
    api = server(lambda path, _: cards[path])
    assert api.version("live") == VERSION
    assert api.version("candidate") is None


def test_sends_the_key_and_does_not_retry_a_wrong_one(server):
    keyless = server(lambda *_: (200 if keyless.keys[-1] == KEY else 401, ANSWER | {"version": VERSION}))
    api = Api(keyless.url, KEY)
    assert api.serves("live", VERSION, times=3)
    assert api.predict("candidate", ["{}"])[0].probabilities == [0.1] * 10
    assert keyless.keys == [KEY] * 4
    for other in (keyless, Api(keyless.url, "a-key-of-another-stack")):
        for ask in (lambda api=other: api.serves("live", VERSION), lambda api=other: api.predict("live", ["{}"])):
            with pytest.raises(KeyRefusedError, match="set DOODLE_API_KEY to the service's key") as caught:
                ask()
            assert "a-key" not in str(caught.value)
    assert len(keyless.keys) == 8  # no retries


def test_detects_a_replica_that_lags_behind(server):
    api = server(lambda *_: (200, {"version": VERSION if len(api.keys) % 7 else "ffffffffffff"}))
    assert api.serves("live", VERSION, times=6)
    assert not api.serves("live", VERSION, times=6)


@pytest.mark.parametrize("connections", [1, 3])
def test_answers_come_in_the_order_of_the_drawings(server, connections):
    api = server(lambda path, body: (200, ANSWER | {"probabilities": [path, json.loads(body)]}))
    answers = api.predict("candidate", [str(number) for number in range(8)], connections)
    assert [answer.probabilities for answer in answers] == [["/candidate/predict", number] for number in range(8)]
    assert answers[0].model_version == VERSION
    assert all(0.0 < answer.seconds < 10.0 for answer in answers)


@pytest.mark.parametrize("failure", [None, (502, {"detail": "away"}), (503, {"detail": "no model yet"})])
def test_retries_temporary_failures(server, failure):
    api = server(lambda *_: failure if len(api.keys) in (2, 3) else (200, ANSWER))
    assert [answer.probabilities for answer in api.predict("live", ["{}"] * 3)] == [[0.1] * 10] * 3
    assert len(api.keys) == 5


def test_does_not_retry_a_rejected_drawing(server):
    api = server(lambda *_: (422, {"detail": "strokes: should be a list"}))
    with pytest.raises(ApiError, match=r"422 .*should be a list"):
        api.predict("live", ["{}"])
    assert len(api.keys) == 1
