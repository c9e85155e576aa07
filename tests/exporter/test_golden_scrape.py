"""The whole text of a scrape of a real store, real results and a real journal, word by word.

When a metric changes on purpose, change golden.txt with it: dashboards, alerts and their readers rely on these names.
"""

import re
from pathlib import Path

import pytest
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
def app(environment, models, publish, big_journal, fill, draw, reference):
    """All that there can be is there, a window of drawings too that was held against the live model's reference."""
    live = publish(seed=1, drift_references={"strokes": reference})
    models.point("live", live)
    models.point("candidate", publish(seed=2, about={"note": "never measured"}))
    draw(SIZE, live)
    fill(big_journal)
    return create_app(Settings.from_environment(environment))


def comparable(text):
    return re.sub(LEFT_OPEN, r"\1\2 0", text)


def test_the_scrape_is_the_golden_one(app, ask, models):
    status, headers, text = ask(app)
    # A version is a hash of weights, and those differ a little from one machine's NumPy to another's.
    for pointer in ("live", "candidate"):
        text = text.replace(models.pointer(pointer), f"<{pointer} version>")
    assert comparable(text) == GOLDEN.read_text()
    assert status == "200 OK"
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_the_second_scrape_says_the_same(app, ask):
    assert comparable(ask(app)[2]) == comparable(ask(app)[2])


def test_openmetrics_which_prometheus_asks_for_has_the_same_samples(app, ask, read):
    _, headers, text = ask(app, HTTP_ACCEPT="application/openmetrics-text;version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    samples = {(sample.name, *sample.labels.values()) for family in read_openmetrics(text) for sample in family.samples}
    assert samples == set(read(ask(app)[2]))


def test_one_metric_can_be_asked_for_alone(app, ask, read):
    _, _, text = ask(app, QUERY_STRING="name[]=doodle_journal_up")
    assert read(text) == {("doodle_journal_up",): 1}
