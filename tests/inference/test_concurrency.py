"""Many at once get what one alone gets: no answer is mixed up with another's."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from pngs import png_of

THREADS, ROUNDS = 8, 5


@pytest.fixture(scope="module")
def requests(ink):
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


def test_answers_are_the_same_one_at_a_time_and_all_at_once_beside_bad_requests(service, requests):
    ids = set()

    def ask(request):
        response = service.post_bytes(*request, path="/predict?input=true")
        assert response.status_code == 200, response.text
        answer = response.json()
        ids.add(answer.pop("prediction_id"))
        return json.dumps(answer)

    def ask_badly(_):
        return service.post_bytes(b"\x89PNG broken", "image/png").status_code

    alone = [ask(request) for request in requests]
    assert len(set(alone)) == len(requests)
    with ThreadPoolExecutor(THREADS) as good, ThreadPoolExecutor(THREADS) as bad:
        rejected = bad.map(ask_badly, range(len(requests) * ROUNDS))
        assert list(good.map(ask, requests * ROUNDS)) == alone * ROUNDS
        assert set(rejected) == {422}
    assert len(ids) == len(requests) * (1 + ROUNDS)
