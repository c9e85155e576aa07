"""The service under libfaketime answers while the clock jumps."""

import time
from pathlib import Path

import pytest


@pytest.mark.slow  # test_feedback.py has jumps within this process
def test_predictions_and_feedback_survive_clock_jumps(
    require, run_service, models_folder, tmp_path, prediction_log_url, prediction_log, documented
):
    require("faketime")
    (library, *_) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock, jumps = tmp_path / "clock", ["+1d", "+0d", "-1h", "+10y"]
    clock.write_text("+0d\n")
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # a monotonic clock never jumps
        "NO_FAKE_STAT": "1",
        "DOODLE_JOURNAL": prediction_log_url,
    }
    with run_service(models_folder, **environment) as service:
        for offset in jumps:
            clock.write_text(f"{offset}\n")
            for digit in range(5):
                answer = service.post_json({"strokes": [[[140, 40], [150, 240]]]})
                assert answer.status_code == 200
                feedback = {"prediction_id": answer.json()["prediction_id"], "actual_digit": digit}
                assert service.post_json(feedback, "/feedback").status_code == 200
            assert service.get("/readyz").status_code == 200
            assert service.sample("doodle_http_requests_inside") == 0
        assert "Traceback" not in service.log()
    kept = prediction_log.feedback(100)
    times = [feedback.time - time.time() for feedback in kept]
    assert max(times) > 9 * 365 * 86400, "its clock has jumped"
    assert min(times) < -3000, "and back"
    assert [feedback.actual_digit for feedback in kept] == [*range(5)] * len(jumps)
    assert prediction_log.summary().predictions_total == len(kept)
    documented("faults", "the clock jumps an hour back or ten years ahead", "nothing", "at once", "nothing")
