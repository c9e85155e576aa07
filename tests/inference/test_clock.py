"""A clock that jumps, as when a machine is told the right time or wakes up: the service, under libfaketime, answers as before."""

import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # test_feedback.py has jumps within this process

JUMPS = {"a day ahead": "+1d", "back again": "+0d", "an hour back": "-1h", "ten years ahead": "+10y"}
ONE = {"strokes": [[[140, 40], [145, 130], [150, 240]]]}
THANKS = {"message": "Feedback received, thank you!"}


@pytest.fixture
def clock(tmp_path, require):
    """clock(offset): from now on the service's clock, and no other, is so far off."""
    require("faketime")
    return lambda offset: (tmp_path / "clock").write_text(f"{offset}\n")


def test_predictions_and_feedback_go_on_whatever_the_clock_does(
    clock, run_service, models_folder, tmp_path, journal_url, journal, documented
):
    (library, *_) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock("+0d")
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # it never jumps
        "NO_FAKE_STAT": "1",
        "DOODLE_JOURNAL": journal_url,
    }
    answers, thanks = [], []
    with run_service(models_folder, **faked) as service:
        for offset in JUMPS.values():
            clock(offset)
            for digit in range(5):
                answer = service.post_json(ONE)
                answers.append(answer.status_code)
                said = {"prediction_id": answer.json()["prediction_id"], "actual_digit": digit}
                thanks.append(service.post_json(said, "/feedback").json())
            assert service.get("/readyz").status_code == 200
            assert service.sample("doodle_http_requests_inside") == 0
        assert "Traceback" not in service.log()
    kept, total = journal.feedback(100), journal.summary().predictions_total
    times = [feedback.time - time.time() for feedback in kept]
    assert max(times) > 9 * 365 * 86400, "its clock has jumped"
    assert min(times) < -3000, "and back"
    assert answers == [200] * 5 * len(JUMPS)
    assert thanks == [THANKS] * len(answers)
    assert [feedback.actual_digit for feedback in kept] == [*range(5)] * len(JUMPS)
    assert total == len(answers)
    documented("faults", "the clock jumps, by an hour back or ten years ahead", "nothing", "at once", "nothing")
