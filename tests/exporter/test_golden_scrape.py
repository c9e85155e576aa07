"""A whole scrape of a real store, results and prediction log, compared word by word.

If you change a metric, change golden.txt too. Dashboards and alerts rely on these names.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
from deployment.version import doodle_version
from drift.blocks import SIZE
from exporter.app import create_app
from exporter.front_door import FrontDoor
from exporter.settings import Settings
from polling import eventually
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

RESULTS_WRITTEN = 1_767_323_045.0
GOLDEN = Path(__file__).with_name("golden.txt")
# These values vary between runs, so the golden file has 0 for them.
VARYING = (
    "doodle_exporter_collector_duration_seconds",
    "doodle_(?:store_model|journal|disk)_(?:size|free)_bytes",
    "doodle_drift_effect",
    "doodle_probe_duration_seconds",
    "process_[a-z_]+",
)
VARYING_SAMPLE = rf"(?m)^({'|'.join(VARYING)})((?:\{{.*\}})?) \S+$"


@pytest.fixture
def app(settings, models, publish, log, fill, draw, reference, artifacts, ask, monkeypatch):
    """Return an exporter app with every input, including a full drift window."""
    live = publish(seed=1, drift_references={"strokes": reference})
    models.point("live", live)
    models.point("candidate", publish(seed=2, about={"note": "never measured"}))
    (artifacts / "heartbeat").touch()
    os.utime(artifacts / "heartbeat", (RESULTS_WRITTEN, RESULTS_WRITTEN))
    monkeypatch.setattr(FrontDoor, "follow", FrontDoor.probe)
    app = create_app(Settings(**settings, page_url="http://127.0.0.1:1", api_url="http://127.0.0.1:1"))
    eventually(lambda: 'doodle_probe_success{target="predict"}' in ask(app)[2], "it has probed")
    draw(SIZE, live)
    fill(log)
    return app


def test_scrape_equals_the_golden_file_and_openmetrics(app, ask, read, models):
    for _ in range(2):
        status, headers, text = ask(app)
        # A version is a hash of weights, which depend on the machine's NumPy.
        for alias in ("live", "candidate"):
            text = text.replace(models.alias(alias), f"<{alias} version>")
        text = text.replace(f'"{doodle_version()}"', '"<Doodle version>"')
        assert re.sub(VARYING_SAMPLE, r"\1\2 0", text) == GOLDEN.read_text()
    assert (status, headers["Content-Type"]) == ("200 OK", "text/plain; version=0.0.4; charset=utf-8")
    _, headers, text = ask(app, HTTP_ACCEPT="application/openmetrics-text;version=1.0.0")  # as Prometheus asks
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    samples = {(sample.name, *sample.labels.values()) for family in read_openmetrics(text) for sample in family.samples}
    assert samples == set(read(ask(app)[2]))
    assert read(ask(app, QUERY_STRING="name[]=doodle_journal_up")[2]) == {("doodle_journal_up",): 1}  # one metric


def test_promtool_accepts_the_metrics(require):
    command = [require("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=GOLDEN.read_bytes(), capture_output=True, timeout=30, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
