"""Make docs/metrics.md from the metrics' own declarations: `make pages`.

The service declares its metrics in one file. The exporter makes its families as it is asked, so they are taken from the scrape
that its tests hold it to, word by word.
"""

import sys
from pathlib import Path

from inference.metrics import Metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from stores.models import ALIASES

PROJECT = Path(__file__).parents[1]
PAGE, EXPORTER_SCRAPE = PROJECT / "docs" / "metrics.md", PROJECT / "tests" / "exporter" / "golden.txt"

PROCESS = "process_"  # what prometheus_client's ProcessCollector says

TEXT = """# Metrics

What Prometheus scrapes, metric by metric, from their own declarations ([make pages](../Makefile) makes this page). Names begin
with `doodle_`, but for three that are older than the habit, and for what any process says of itself; times are in seconds,
sizes in bytes, ratios 0 to 1. Counters end in `_total`, and a histogram has `_bucket`, `_sum` and `_count`. Labels have few
values, and those that are known are there from the start: a rate of what never happened is 0, not nothing.

The rules that dashboards and alerts share are in [recording.yml](../monitoring/prometheus/rules/recording.yml), the alerts in
[alerts.yml](../monitoring/prometheus/rules/alerts.yml).

## The service

Job `fastapi-app`, each second, from each replica ([services/inference/metrics.py](../services/inference/metrics.py)). Add them up
over replicas: `sum without (instance) (rate(api_predict_calls_total[1m]))`.

{service}

## The exporter

Job `custom_exporter`, every five seconds ([services/exporter](../services/exporter)). It reads the model store, the pipeline's
results and the prediction log when it is asked. What is not there has no sample; what cannot be read is 0 for
`doodle_exporter_collector_success`, a line in the log, and no failure of the others.

{exporter}

## Both

What their processes take, under the names that Prometheus has for its own as well; `job` and `instance` say whose it is.

{process}
"""


def page() -> str:
    """The page's whole text."""
    metrics = Metrics()
    metrics.requests.labels("/predict", "200")
    metrics.request_seconds.labels("/predict")
    for alias in ALIASES:
        metrics.show_model(alias, "0123456789ab")
    parts = {
        "service": list(metrics.registry.collect()),
        "exporter": list(text_string_to_metric_families(EXPORTER_SCRAPE.read_text(encoding="utf-8"))),
    }
    own = {part: [family for family in of_part if not family.name.startswith(PROCESS)] for part, of_part in parts.items()}
    process = [family for family in parts["exporter"] if family.name.startswith(PROCESS)]
    return TEXT.format(process=_table(process), **{part: _table(families) for part, families in own.items()})


def _table(families: list[Metric]) -> str:
    rows = ["| metric | kind | labels | what it is |", "|---|---|---|---|"]
    for family in sorted(families, key=lambda family: family.name):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        named = ", ".join(f"`{label}`" for label in labels)
        rows.append(f"| `{name}` | {family.type} | {named} | {family.documentation} |")
    return "\n".join(rows)


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
