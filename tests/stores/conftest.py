"""What the tests of the prediction log share: records, Redis servers, and a proxy that can move or hang up."""

import itertools
import socket
import sys
import threading
from contextlib import suppress

import pytest
from stores.journal import Feedback, Prediction, open_journal


class Proxy:
    """A port that leads to a server, and later perhaps to another. It hangs up once `limit` bytes of requests have passed.

    What passed is still done by the server before the client notices.
    """

    def __init__(self, port, limit=sys.maxsize):
        self.leads_to, self.carried, self._limit, self._sockets = port, 0, limit, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self.leads_to))
                except ConnectionRefusedError:
                    client.close()
                    continue
                self._sockets += [client, server]
                for carry in (self._carry_requests, self._carry_answers):
                    threading.Thread(target=carry, args=(client, server), daemon=True).start()

    def _carry_requests(self, client, server):
        with suppress(OSError):
            while self.carried < self._limit and (content := client.recv(min(65536, self._limit - self.carried))):
                self.carried += len(content)
                server.sendall(content)
            server.shutdown(socket.SHUT_WR)

    def _carry_answers(self, client, server):
        with suppress(OSError):
            while content := server.recv(65536):
                if self.carried < self._limit:
                    client.sendall(content)
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        for each in (self._listener, *self._sockets):
            each.close()


@pytest.fixture
def new_proxy():
    """new_proxy(port, limit): see Proxy."""
    proxies = []

    def make(*arguments):
        proxies.append(Proxy(*arguments))
        return proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.fixture(scope="session")
def shared_redis(new_redis):
    server = new_redis()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(shared_redis):
    """A running Redis that is empty, with the settings of the stack. What a test does to it beyond writing, it does to all."""
    shared_redis.client.flushall()
    return shared_redis


@pytest.fixture
def own_redis(new_redis):
    """A Redis for the test alone, which starts it as it likes."""
    server = new_redis()
    yield server
    server.kill()


@pytest.fixture
def open_journal_at():
    """open_journal, but what it opens is closed after the test."""
    opened = []

    def open_at(url, **options):
        opened.append(open_journal(url, **options))
        return opened[-1]

    yield open_at
    for journal in opened:
        journal.close()


def numbered(kind, values_of):
    numbers = itertools.count(1)
    return lambda **changes: kind(**values_of(next(numbers)) | changes)


@pytest.fixture(scope="session")
def make_prediction():
    """make_prediction(field=value, …): a prediction unlike any other, but for the fields given."""
    return numbered(
        Prediction,
        lambda number: {
            "prediction_id": f"prediction-{number}",
            "time": 1.7e9 + number / 8,
            "form": ("strokes", "image_vector", "png")[number % 3],
            "digit": number % 10,
            "is_digit": number % 2 == 0,
            "confidence": 1 / number,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
        },
    )


@pytest.fixture(scope="session")
def make_feedback():
    """make_feedback(field=value, …): feedback unlike any other, but for the fields given."""
    return numbered(
        Feedback,
        lambda number: {
            "feedback_id": f"feedback-{number}",
            "time": 1.7e9 + number / 8,
            "prediction_id": f"prediction-{number}",
            "predicted_digit": number % 10,
            "actual_digit": (number + 1) % 10,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
            "source": f"source-{number % 3}",
        },
    )
