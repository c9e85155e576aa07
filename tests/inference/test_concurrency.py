"""Many at once get what one alone gets: no answer is mixed up with another's."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

THREADS, ROUNDS = 8, 12


@pytest.fixture(scope="module")
def requests(ink, png_of):
    """A dozen different drawings as (body, content type), a third of them in each form."""
    drawings = []
    for number in range(4):
        turned = np.rot90(ink, number)
        small = turned.reshape(28, 10, 28, 10).mean(axis=(1, 3))
        stroke = [[140, 40 + 20 * number], [60 + 40 * number, 150], [200, 240]]
        drawings += [
            (png_of((turned * 255).astype(np.uint8)), "image/png"),
            (json.dumps({"image_vector": small.ravel().tolist()}).encode(), "application/json"),
            (json.dumps({"strokes": [stroke]}).encode(), "application/json"),
        ]
    return drawings


def reading(service, request) -> str:
    response = service.post_bytes(*request, path="/predict?input=true")
    assert response.status_code == 200, response.text
    answer = response.json()
    answer.pop("prediction_id")
    return json.dumps(answer)


def test_the_drawings_are_told_apart(service, requests):
    assert len({reading(service, request) for request in requests}) == len(requests)


def test_answers_are_the_same_one_at_a_time_and_all_at_once(service, requests):
    alone = [reading(service, request) for request in requests]
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(lambda request: reading(service, request), requests * ROUNDS))
    assert together == alone * ROUNDS


def test_a_bad_request_does_not_disturb_the_good_ones_beside_it(service, requests):
    alone = [reading(service, request) for request in requests]

    def ask(number):
        if number % 2:
            return service.post_bytes(b"\x89PNG broken", "image/png").status_code
        return reading(service, requests[number // 2 % len(requests)])

    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(ask, range(2 * len(requests) * 4)))
    assert together[1::2] == [422] * len(requests) * 4
    assert together[::2] == alone * 4


def test_prediction_ids_differ_however_many_ask_at_once(service, requests):
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda request: service.post_bytes(*request).json(), requests * ROUNDS))
    assert len({answer["prediction_id"] for answer in answers}) == len(answers)
