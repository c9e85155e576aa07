"""Bodies and addresses that cannot be read are rejected with the code that fits, as {"detail": "…"}, and never with a 5xx."""

import pytest

JSON = "application/json"
MEBIBYTE = 1024 * 1024


def assert_rejected(response, code: int) -> None:
    assert response.status_code == code, response.text
    assert list(response.json()) == ["detail"]
    assert response.json()["detail"].strip()


def test_a_content_type_may_have_parameters_and_capitals(service):
    """test_cors.py has those that are rejected."""
    assert service.post_bytes(b'{"strokes": []}', "Application/JSON; charset=utf-8").status_code == 200
    for path, expected in (("/predict", "application/json or image/png"), ("/feedback", "application/json")):
        rejected = service.post_bytes(b"{}", ";;", path)
        assert_rejected(rejected, 415)
        assert rejected.json()["detail"] == f"send {expected}, not a body without a content-type"


@pytest.mark.parametrize(("content_type", "limit"), [(JSON, MEBIBYTE), ("image/png", 4 * MEBIBYTE)])
def test_rejects_a_body_that_is_too_large_though_its_length_is_not_announced(service, content_type, limit):
    """test_process.py sends others over a socket; by its content, where it is just small enough."""

    def sent(size):
        pieces = (b" " * min(65536, size - start) for start in range(0, size, 65536))
        return service.client.post("/predict", content=pieces, headers={"Content-Type": content_type})

    assert_rejected(sent(limit + 1), 413)
    assert_rejected(sent(limit), 422)


def test_an_unknown_path_is_404(service):
    assert_rejected(service.get("/predict/5"), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/predict", "POST"), ("/model/", "GET"), ("/snapshots/", "GET, POST"), ("/predictions/5", "DELETE")],
)
def test_a_wrong_method_is_405_and_names_those_that_are_allowed(service, path, allowed):
    response = service.client.put(path)
    assert_rejected(response, 405)
    assert response.headers["allow"] == allowed


def test_a_fault_of_ours_is_counted_and_tells_nothing_of_our_insides(serve, models_folder, strokes, samples, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret words")

    monkeypatch.setattr("inference.body.image_from_strokes", fail)
    with serve(models_folder, raise_server_exceptions=False) as client:
        for path in ("/predict", "/explain"):
            response = client.post(path, json={"strokes": strokes})
            assert_rejected(response, 500)
            assert "secret" not in response.text
        counted = samples(client)
    assert counted["doodle_predict_errors_total", ("500",)] == counted["prediction_error_total", ()] == 1
    assert counted["doodle_http_requests_total", ("500", "/explain")] == 1
