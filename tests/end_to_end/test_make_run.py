"""`make run` in a fresh clone."""

import os
import signal
import socket

import httpx
import pytest

STROKES = {"strokes": [[[140, 40], [150, 240]]]}


def test_make_run_serves_follows_the_model_store_and_stops_on_ctrl_c(clone, tmp_path, wait_for, eventually, save_model):
    log = tmp_path / "first-run.log"
    page, exporter = clone.address("DOODLE_FRONTEND_PORT"), clone.address("DOODLE_EXPORTER_PORT")

    def version():
        return httpx.get(f"{clone.api}/model").json()["version"]

    with clone.serving(log, wait_for):
        # The page's server reaches the service, and the exporter counts its prediction.
        answer = httpx.post(f"{page}/api/predict", json=STROKES).raise_for_status().json()
        assert answer["best_guess"] == 1
        counted = "doodle_journal_predictions_total 1.0"
        eventually(lambda: counted in httpx.get(f"{exporter}/metrics").text.splitlines(), "the exporter counts it", 20)

        # Promotion and rollback need no restart.
        released, made = version(), save_model(tmp_path / "model")["version"]
        clone.run("python", "-m", "trainer", "models", "publish", str(tmp_path / "model"), "--promote")
        eventually(lambda: version() == made, "the model that was promoted is live", 20)
        clone.run("python", "-m", "trainer", "models", "rollback")
        eventually(lambda: version() == released, "the released model is live again", 20)

    output = log.read_text()
    assert f"Doodle: draw at {page}" in output
    assert "event=model_loaded" in output
    assert "epoch" not in output, "it trains although there is a model"
    for part in ("inference", "exporter", "frontend", "trainer"):
        assert f"{part}.1 stopped (rc=0)" in output
    assert "Traceback" not in output
    for port in clone.ports.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(port)))


@pytest.mark.slow
def test_a_second_run_skips_set_up_and_stops_when_one_part_dies(clone, tmp_path, wait_for):
    with clone.serving(tmp_path / "run.log", wait_for):
        pass
    log = tmp_path / "second-run.log"
    with clone.serving(log, wait_for) as process:
        output = log.read_text()
        assert "setting up" not in output
        started = next(line for line in output.splitlines() if line.startswith("inference.1 started"))
        os.kill(int(started.partition("pid=")[2].rstrip(")")), signal.SIGKILL)
        assert process.wait(timeout=20) != 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(clone.address("DOODLE_FRONTEND_PORT"))
