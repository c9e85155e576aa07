"""On SIGTERM the service answers requests in flight, rejects new ones, and logs every prediction."""

import json
import signal

from inference.schemas.requests import MAX_STEPS
from raw_http import connected, parts, post

LINE = [[[140, 40], [150, 240]]]
DRAWING = post("/predict", json.dumps({"strokes": LINE}).encode(), last=True)
STEPS = {"strokes": LINE, "lessons": [{"label": 1, "learning_rate": 0.01}] * MAX_STEPS}
END_SECONDS = 8  # Docker waits ten


def is_refused(service):
    try:
        connected(service.url).close()
    except ConnectionError:
        return True
    return False


def answer(connection):
    status, _, content = parts(b"".join(iter(lambda: connection.recv(65536), b"")))
    assert status == 200
    return content


def test_finishes_requests_in_flight_and_rejects_new_ones(
    run_service, models_folder, prediction_log_url, prediction_log, eventually, documented
):
    """In flight are fifty training steps and the first half of a drawing."""
    with (
        run_service(models_folder, DOODLE_JOURNAL=prediction_log_url) as ending,
        connected(ending.url) as learning,
        connected(ending.url) as drawing,
    ):
        learning.sendall(post("/learn", json.dumps(STEPS).encode(), last=True))
        drawing.sendall(DRAWING[:-20])
        begun = ("doodle_queued_calls", "slow"), ("doodle_lessons_total",)  # they may already be over
        eventually(lambda: any(ending.sample(*each) for each in begun), "the steps have begun")
        ending.process.send_signal(signal.SIGTERM)
        eventually(lambda: is_refused(ending), "new connections are refused")
        drawing.sendall(DRAWING[-20:])
        drawn = answer(drawing)
        assert len(answer(learning)["losses"]) == MAX_STEPS
        assert ending.process.wait(END_SECONDS) == 0
        assert "Traceback" not in ending.log()
    assert [each.prediction_id for each in prediction_log.recent_predictions(2)] == [drawn["prediction_id"]]
    documented(
        "faults",
        "a service gets SIGTERM",
        "nothing: it answers its requests, and nginx sends new ones to another replica",
        f"within {END_SECONDS} s",
        "nothing",
    )
