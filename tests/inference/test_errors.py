"""What cannot be read is refused with the code that fits and with words, as {"detail": "…"}, and never with a 5xx."""

import http.client
import json
import socket

import numpy as np
import pytest

JSON = "application/json"
MEBIBYTE = 1024 * 1024


def assert_refused(response, code: int) -> None:
    assert response.status_code == code, response.text
    body = response.json()
    assert list(body) == ["detail"]
    assert isinstance(body["detail"], str), body
    assert body["detail"].strip()


@pytest.mark.parametrize("length", [0, 1, 28, 783, 785, 1568])
def test_a_vector_of_another_length_is_refused_in_these_very_words(service, length):
    response = service.post_json({"image_vector": [0.5] * length})
    assert response.status_code == 400
    assert response.json() == {"detail": f"Expected 784 values for MNIST image, got {length}"}


def number_in_vector(number: str) -> str:
    return '{"image_vector": [' + ", ".join(["0.0"] * 783 + [number]) + "]}"


def number_in_strokes(number: str) -> str:
    return '{"strokes": [[[10, 10], [20, ' + number + "]]]}"


BAD_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e400", "1" + "0" * 400, "null", '"0.5"', '"NaN"', "[0.5]", "{}", "true"]


@pytest.mark.parametrize("number", [*BAD_NUMBERS, "-0.001", "1.001", "255"])
def test_a_vector_with_this_in_it_is_refused(service, number):
    assert_refused(service.post_bytes(number_in_vector(number).encode(), JSON), 422)


@pytest.mark.parametrize("number", [*BAD_NUMBERS, "1e300", "-1e300", "100001", "-100001"])
def test_strokes_with_this_as_a_coordinate_are_refused(service, number):
    assert_refused(service.post_bytes(number_in_strokes(number).encode(), JSON), 422)


@pytest.mark.parametrize("field", ["width", "height", "brush"])
@pytest.mark.parametrize("number", ["NaN", "Infinity", "0", "-1", "1e300", "null", '"wide"', "[1]"])
def test_a_length_like_this_is_refused(service, field, number):
    body = '{"strokes": [[[10, 10], [20, 90]]], "' + field + '": ' + number + "}"
    assert_refused(service.post_bytes(body.encode(), JSON), 422)


WRONG_BODIES = {
    "neither form": {},
    "both forms": {"strokes": [[[1, 2]]], "image_vector": [0.0] * 784},
    "null for a form": {"image_vector": None},
    "null for both forms": {"strokes": None, "image_vector": None},
    "only lengths": {"width": 280, "height": 280},
    "a list": [[[1, 2], [3, 4]]],
    "a string": "strokes",
    "a number": 5,
    "strokes: a string": {"strokes": "M 0 0 L 9 9"},
    "strokes: a number": {"strokes": 3},
    "strokes: an object": {"strokes": {"0": [[1, 2]]}},
    "points outside of a stroke": {"strokes": [[1, 2], [3, 4]]},
    "strokes nested too deep": {"strokes": [[[[1, 2], [3, 4]]]]},
    "a point of one number": {"strokes": [[[1], [2]]]},
    "a point of three numbers": {"strokes": [[[1, 2, 3], [4, 5, 6]]]},
    "a point without numbers": {"strokes": [[[]]]},
    "points as objects": {"strokes": [[{"x": 1, "y": 2}]]},
    "a stroke that is null": {"strokes": [None]},
    "image_vector: a string": {"image_vector": "0" * 784},
    "image_vector: a number": {"image_vector": 784},
    "image_vector: an object": {"image_vector": {str(i): 0.0 for i in range(784)}},
    "image_vector: 28 rows": {"image_vector": [[0.0] * 28] * 28},
    "image_vector: pixels to 255": {"image_vector": [255] * 784},
    "more than 20,000 points": {"strokes": [[[1, 2]] * 20_001]},
    "more than 20,000 points in all": {"strokes": [[[1, 2]] * 10_001] * 2},
    "more than 1,000 strokes": {"strokes": [[[1, 2]]] * 1_001},
}


@pytest.mark.parametrize("name", WRONG_BODIES)
def test_json_that_is_no_drawing_is_refused(service, name):
    assert_refused(service.post_json(WRONG_BODIES[name]), 422)


BROKEN_JSON = {
    "nothing": b"",
    "spaces": b"   ",
    "words": b"hello",
    "null": b"null",
    "cut short": b'{"strokes": [[[1, 2], [3',
    "two documents": b'{"strokes": []}{"strokes": []}',
    "single quotes": b"{'strokes': []}",
    "nested without end": b"[" * 60_000,
    "not UTF-8": b'{"strokes": "\xff\xfe"}',
    "UTF-16": '{"strokes": []}'.encode("utf-16"),
    "half a surrogate pair": b'{"strokes": "\\ud800"}',
    "zero bytes": b"\0" * 100,
    "a form field": b"strokes=1",
}


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_what_is_not_json_is_refused(service, name):
    assert_refused(service.post_bytes(BROKEN_JSON[name], JSON), 422)


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


@pytest.mark.parametrize("content_type", ["", "text/plain", "image/jpeg", "image/*", PARTS, FORM, "png", ";;"])
def test_other_content_types_are_refused(service, content_type):
    assert_refused(service.post_bytes(b'{"strokes": []}', content_type), 415)


def test_a_body_without_a_content_type_is_refused(service):
    assert_refused(service.client.post("/predict", content=b'{"strokes": []}'), 415)


def test_a_query_that_is_no_yes_or_no_is_refused(service, strokes):
    assert_refused(service.post_json({"strokes": strokes}, "/predict?input=perhaps"), 422)


@pytest.mark.parametrize(("content_type", "limit"), [(JSON, MEBIBYTE), ("image/png", 4 * MEBIBYTE)])
class TestABodyThatIsTooLarge:
    def test_is_refused(self, service, content_type, limit):
        assert_refused(service.post_bytes(b" " * (limit + 1), content_type), 413)

    def test_is_refused_as_soon_as_it_is_announced(self, service, content_type, limit):
        url = service.client.base_url
        connection = http.client.HTTPConnection(url.host, url.port, timeout=5)
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", content_type)
        connection.putheader("Content-Length", str(limit + 1))
        connection.endheaders()  # and not a byte of the body
        response = connection.getresponse()
        assert (response.status, list(json.load(response))) == (413, ["detail"])
        connection.close()

    def test_is_refused_where_its_length_is_not_announced(self, service, content_type, limit):
        chunks = (b" " * 65536 for _ in range(limit // 65536 + 1))
        response = service.client.post("/predict", content=chunks, headers={"Content-Type": content_type})
        assert_refused(response, 413)

    def test_is_answered_while_all_of_it_is_still_being_sent(self, service, content_type, limit):
        """And the connection goes on: whoever stands between, as nginx does, gets the answer and not a reset."""
        url = service.client.base_url
        connection = http.client.HTTPConnection(url.host, url.port, timeout=5)
        for _ in range(20):
            connection.request("POST", "/predict", b" " * (limit + MEBIBYTE), {"Content-Type": content_type})
            response = connection.getresponse()
            assert (response.status, list(json.load(response))) == (413, ["detail"])
            assert response.headers["connection"] != "close"
        connection.close()

    def test_is_cut_off_when_it_is_larger_by_far(self, service, content_type, limit):
        url = service.client.base_url
        with socket.create_connection((url.host, url.port), timeout=5) as connection:
            header = f"POST /predict HTTP/1.1\r\nHost: d\r\nContent-Type: {content_type}\r\nContent-Length: 10000000000\r\n\r\n"
            connection.sendall(header.encode())
            answer = b""
            while received := connection.recv(65536):
                answer += received
        assert answer.startswith(b"HTTP/1.1 413 ")

    def test_is_judged_by_what_it_holds_when_just_small_enough(self, service, content_type, limit):
        assert_refused(service.post_bytes(b" " * limit, content_type), 422)


LARGEST = 2**31 - 1  # the most that a PNG's header can say


@pytest.mark.parametrize(
    ("width", "height"), [(30_000, 30_000), (10_000, 10_000), (4_097, 4_096), (100_000, 200), (LARGEST, LARGEST)]
)
def test_a_small_file_that_unpacks_into_too_many_pixels_is_refused(service, png_by_hand, width, height):
    assert_refused(service.post_bytes(png_by_hand(width, height, b"")), 413)


def test_the_largest_image_allowed_is_read(service, png_of):
    assert service.post_bytes(png_of(np.zeros((3072, 4096), np.uint8))).status_code == 200


def test_the_service_still_answers_after_all_this(service, strokes):
    assert service.post_json({"strokes": strokes}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/nothing", "/predict/5", "/explain/x", "/.env"])
def test_a_path_that_is_not_there_is_a_404_in_json(service, path):
    assert_refused(service.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/predict"), ("PUT", "/predict/"), ("DELETE", "/model"), ("POST", "/healthz"), ("POST", "/metrics")],
)
def test_a_wrong_method_is_a_405_in_json(service, method, path):
    response = service.client.request(method, path)
    assert_refused(response, 405)
    assert response.headers["allow"]
