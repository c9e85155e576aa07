"""Invalid bodies and paths get the right 4xx code, and a problem as in RFC 9457."""

import pytest
from inference.schemas.responses import Problem

JSON = "application/json"
MEBIBYTE = 1024 * 1024


def assert_rejected(response, code: int) -> None:
    assert response.status_code == code, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate_json(response.content)
    assert problem.status == code
    assert problem.detail.strip()
    assert problem.request_id == response.headers["x-request-id"]


def test_parses_content_types(service):

    assert service.post_bytes(b'{"strokes": []}', "Application/JSON; charset=utf-8").status_code == 200
    for path, expected in (
        ("/predict", "application/json, image/png, image/jpeg, image/webp"),
        ("/read", "application/json, image/png, image/jpeg, image/webp"),
        ("/feedback", "application/json"),
    ):
        rejected = service.post_bytes(b"{}", ";;", path)
        assert_rejected(rejected, 415)
        assert rejected.json()["detail"] == f"send {expected}, not a body without a content-type"


@pytest.mark.parametrize(("content_type", "limit"), [(JSON, MEBIBYTE), ("image/png", 16 * MEBIBYTE)])
def test_rejects_a_large_chunked_body(service, content_type, limit):
    """A body at the limit is rejected for its content."""

    def sent(size):
        pieces = (b" " * min(65536, size - start) for start in range(0, size, 65536))
        return service.client.post("/predict", content=pieces, headers={"Content-Type": content_type})

    assert_rejected(sent(limit + 1), 413)
    assert_rejected(sent(limit), 422)


def test_limits_large_images_in_memory(service, monkeypatch):
    monkeypatch.setattr("inference.body.MAX_LARGE_IMAGES", 0)
    assert_rejected(service.post_bytes(bytes(MEBIBYTE + 1)), 429)
    assert_rejected(service.post_bytes(bytes(MEBIBYTE)), 422)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/predict", "OPTIONS, POST"),
        ("/model/", "GET, HEAD, OPTIONS"),
        ("/snapshots/", "GET, HEAD, OPTIONS, POST"),
        ("/predictions/5/feedback", "OPTIONS, PUT"),
    ],
)
def test_answers_405_with_the_allowed_methods(service, path, allowed):
    response = service.client.patch(path)
    assert_rejected(response, 405)
    assert response.headers["allow"] == allowed
    options = service.client.options(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")


def test_counts_internal_errors_and_hides_their_message(serve, models_folder, strokes, samples, monkeypatch):
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
