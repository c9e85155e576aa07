"""SIGTERM under load: what is under way is answered, new work is refused, and all that was answered is in the journal."""

import json
import signal
import socket
import threading
import time

import httpx
import pytest
from stores.journal import open_journal

BODY = json.dumps({"strokes": [[[140, 40], [145, 130], [150, 240]]]}).encode()
HEAD = f"POST /predict HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
PEOPLE = 16
END_SECONDS = 8  # two less than Docker waits
LESSONS = {"strokes": [[[140, 40], [150, 240]]], "lessons": [{"label": 1, "learning_rate": 0.01}] * 50}


@pytest.fixture
def ending(run_service, models_folder, tmp_path):
    """A service with a journal of its own; the test ends it."""
    with run_service(models_folder, DOODLE_JOURNAL=f"sqlite:///{tmp_path}/journal.sqlite") as running:
        yield running


def connected(service):
    url = httpx.URL(service.url)
    return socket.create_connection((url.host, url.port), timeout=15)


def is_refused(service):
    try:
        connected(service).close()
    except ConnectionError:
        return True
    return False


def answer(connection) -> bytes:
    """One answer, whole, or nothing at all where the connection was closed before it began."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            assert received == b"", "an answer that was begun must be finished"
            return b""
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")))
    while len(body) < length:
        more = connection.recv(65536)
        assert more, "an answer that was begun must be finished"
        body += more
    assert head.startswith(b"HTTP/1.1 200"), received
    return body


def test_whoever_was_answered_is_in_the_journal_and_no_answer_is_cut_short(ending, tmp_path):
    answered, faults = [], []

    def draw():
        try:
            with connected(ending) as connection:
                while True:
                    connection.sendall(HEAD + BODY)
                    body = answer(connection)
                    if not body:
                        return
                    answered.append(json.loads(body)["prediction_id"])
        except (TimeoutError, ConnectionError) as error:
            if not isinstance(error, ConnectionError):
                faults.append(error)
        except AssertionError as error:
            faults.append(error)

    people = [threading.Thread(target=draw) for _ in range(PEOPLE)]
    for each in people:
        each.start()
    deadline = time.monotonic() + 15
    while len(answered) < 10 * PEOPLE and time.monotonic() < deadline:
        time.sleep(0.01)
    ending.process.send_signal(signal.SIGTERM)
    assert ending.process.wait(10) == 0
    for each in people:
        each.join(15)
    assert faults == []
    journal = open_journal(f"sqlite:///{tmp_path}/journal.sqlite")
    missing = [each for each in answered if journal.prediction(each) is None]
    journal.close()
    assert len(answered) >= 10 * PEOPLE
    assert missing == []


def test_what_is_under_way_is_finished_while_new_work_is_refused(ending, eventually, documented):
    """Fifty lessons, whose work has begun, and a drawing of which half is still to come."""
    with connected(ending) as teaching, connected(ending) as drawing:
        lessons = json.dumps(LESSONS).encode()
        head = HEAD.replace(b"/predict", b"/learn").replace(f": {len(BODY)}\r\n".encode(), f": {len(lessons)}\r\n".encode())
        teaching.sendall(head + lessons)
        drawing.sendall(HEAD + BODY[:20])
        time.sleep(0.02)
        ending.process.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(ending), "new connections are refused")
        drawing.sendall(BODY[20:])
        assert json.loads(answer(drawing))["digit"] in range(10)
        assert len(json.loads(answer(teaching))["losses"]) == 50
    assert ending.process.wait(END_SECONDS) == 0
    assert "Traceback" not in ending.log()
    documented(
        "faults",
        "a service is told to end (SIGTERM)",
        "nothing: it answers the requests that reached it, and nginx asks another replica for the rest",
        f"within {END_SECONDS} s",
        "nothing",
    )
