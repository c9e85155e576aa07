"""The whole text of a scrape of a real store, real results and a real prediction log, word by word.

When a metric changes on purpose, change golden.txt with it: dashboards, alerts and their readers rely on these names.
"""

import re
import subprocess
from pathlib import Path

import pytest
from deployment.version import doodle_version
from drift.blocks import SIZE
from exporter.app import create_app
from exporter.settings import Settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

GOLDEN = Path(__file__).with_name("golden.txt")
# No two scrapes take the same time, and how large files, disks and processes are is not for this test to say, nor how far
# drawings are from others: these are put down as 0.
OPEN = (
    "doodle_exporter_collector_duration_seconds",
    "doodle_(?:store_model|journal|disk)_(?:size|free)_bytes",
    "doodle_drift_effect",
    "process_[a-z_]+",
)
LEFT_OPEN = rf"(?m)^({'|'.join(OPEN)})((?:\{{.*\}})?) \S+$"


@pytest.fixture
def app(settings, models, publish, log, fill, draw, reference):
    """All that there can be is there, a window of drawings too that was held against the live model's reference."""
    live = publish(seed=1, drift_references={"strokes": reference})
    models.point("live", live)
    models.point("candidate", publish(seed=2, about={"note": "never measured"}))
    draw(SIZE, live)
    fill(log)
    return create_app(Settings(**settings))


def test_the_scrape_is_the_golden_one_each_time_and_openmetrics_has_the_same_samples(app, ask, read, models):
    for _ in range(2):
        status, headers, text = ask(app)
        # A version is a hash of weights, and those differ a little from one machine's NumPy to another's.
        for pointer in ("live", "candidate"):
            text = text.replace(models.alias(pointer), f"<{pointer} version>")
        text = text.replace(f'"{doodle_version()}"', '"<Doodle version>"')
        assert re.sub(LEFT_OPEN, r"\1\2 0", text) == GOLDEN.read_text()
    assert (status, headers["Content-Type"]) == ("200 OK", "text/plain; version=0.0.4; charset=utf-8")
    _, headers, text = ask(app, HTTP_ACCEPT="application/openmetrics-text;version=1.0.0")  # as Prometheus asks
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    samples = {(sample.name, *sample.labels.values()) for family in read_openmetrics(text) for sample in family.samples}
    assert samples == set(read(ask(app)[2]))
    assert read(ask(app, QUERY_STRING="name[]=doodle_journal_up")[2]) == {("doodle_journal_up",): 1}  # one alone


def test_promtool_finds_nothing_to_say(require):
    command = [require("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=GOLDEN.read_bytes(), capture_output=True, timeout=30, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
