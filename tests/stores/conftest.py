"""What the tests of the journal share: records, a real Redis of one's own, and a way to it that can be cut."""

import itertools
import selectors
import socket
import sys
import threading
from contextlib import suppress

import pytest
from polling import PATIENCE
from stores.journal import Feedback, Prediction, open_journal


class CutWay:
    """A way to a server, for one connection, which is cut once it has carried `limit` bytes there. What arrived is still done."""

    def __init__(self, port, limit):
        self.carried, self._limit, self._port = 0, limit, port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self):
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._port)) as server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ)
            ready.register(server, selectors.EVENT_READ)
            while self.carried < self._limit:
                source = ready.select()[0][0].fileobj
                content = source.recv(min(4096, self._limit - self.carried))
                if not content:
                    return
                if source is client:
                    server.sendall(content)
                    self.carried += len(content)
                else:
                    client.sendall(content)
            server.shutdown(socket.SHUT_WR)
            while server.recv(4096):  # until it has done all that it got, and hangs up
                pass

    def close(self):
        self._listener.close()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()


class MovableWay:
    """A name that leads to a server, and later to another: a port whose new connections go where it leads then, for ever."""

    def __init__(self, port):
        self.leads_to, self._sockets = port, []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.leads_to))
            except ConnectionRefusedError:
                client.close()
                continue
            self._sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source, target):
        with suppress(OSError):  # killed, or hung up
            while content := source.recv(65536):
                target.sendall(content)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            each.close()


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
def cut_way():
    """cut_way(port, limit): see CutWay."""
    ways = []

    def make(port, limit=sys.maxsize):
        ways.append(CutWay(port, limit))
        return ways[-1]

    yield make
    for way in ways:
        way.close()


@pytest.fixture
def movable_way():
    """movable_way(port): see MovableWay."""
    ways = []

    def make(port):
        ways.append(MovableWay(port))
        return ways[-1]

    yield make
    for way in ways:
        way.close()


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


@pytest.fixture(scope="session")
def make_prediction():
    """make_prediction(field=value, …): a prediction unlike any other, but for the fields given."""
    numbers = itertools.count(1)

    def make(**changes):
        number = next(numbers)
        values = {
            "prediction_id": f"prediction-{number}",
            "time": 1.7e9 + number / 8,
            "form": ("strokes", "image_vector", "png")[number % 3],
            "digit": number % 10,
            "is_digit": number % 2 == 0,
            "confidence": 1 / number,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
        }
        return Prediction(**values | changes)

    return make


@pytest.fixture(scope="session")
def make_feedback():
    """make_feedback(field=value, …): feedback unlike any other, but for the fields given."""
    numbers = itertools.count(1)

    def make(**changes):
        number = next(numbers)
        values = {
            "feedback_id": f"feedback-{number}",
            "time": 1.7e9 + number / 8,
            "prediction_id": f"prediction-{number}",
            "predicted_digit": number % 10,
            "actual_digit": (number + 1) % 10,
            "model_version": f"model-{number % 2}",
            "picture": number.to_bytes(4) * 196,
            "source": f"source-{number % 3}",
        }
        return Feedback(**values | changes)

    return make
