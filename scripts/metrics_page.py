"""Generate docs/metrics.md from the metrics' declarations: `make pages`.

The API declares its metrics in one file. The exporter creates its families during a scrape, so they come from the golden scrape
of its tests.
"""

import sys
from pathlib import Path

from inference.metrics import Metrics
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from stores.models import ALIASES

PROJECT = Path(__file__).parents[1]
PAGE, EXPORTER_SCRAPE = PROJECT / "docs" / "metrics.md", PROJECT / "tests" / "exporter" / "golden.txt"

PROCESS = "process_"  # from prometheus_client's ProcessCollector

TEXT = """# Metrics

All metrics of the API and the exporter. [make pages](../Makefile) generates this page from their declarations.

- Names in `_total` are counters. The others are gauges, except three histograms.
- Times are in seconds, timestamps in Unix seconds, sizes in bytes, ratios from 0 to 1.
- Known label values exist from the start, so the rate of an event that never happened is 0.
- Shared expressions are in [recording.yml](../monitoring/prometheus/rules/recording.yml), alerts in
  [alerts.yml](../monitoring/prometheus/rules/alerts.yml) and the [runbook](runbook.md).

## API

Job `fastapi-app`, scraped each second from each replica; declared in [metrics.py](../services/inference/metrics.py). Sum
over replicas: `sum without (instance) (rate(api_predict_calls_total[1m]))`.

{service}

## Exporter

Job `custom_exporter`, scraped every five seconds; code in [services/exporter](../services/exporter). Each scrape reads the
model store, the pipeline's results and the prediction log. A missing source has no sample. An unreadable source sets
`doodle_exporter_collector_success` to 0 and adds a line to the exporter's log.

{exporter}

## Processes

Both jobs export the standard process metrics of the Prometheus clients: {process}.
"""


def page() -> str:
    """Return the page's text."""
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
    process = ", ".join(sorted(f"`{_full_name(family)}`" for family in parts["exporter"] if family.name.startswith(PROCESS)))
    return TEXT.format(process=process, **{part: _table(families) for part, families in own.items()})


def _table(families: list[Metric]) -> str:
    rows = ["| metric | meaning |", "|---|---|"]
    for family in sorted(families, key=lambda family: family.name):
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        with_labels = f"{{{','.join(labels)}}}" if labels else ""
        histogram = "Histogram. " if family.type == "histogram" else ""
        rows.append(f"| `{_full_name(family)}{with_labels}` | {histogram}{family.documentation} |")
    return "\n".join(rows)


def _full_name(family: Metric) -> str:
    return family.name + ("_total" if family.type == "counter" else "")


def main() -> int:
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE.relative_to(PROJECT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
