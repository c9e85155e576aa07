"""One scrape: run and time each collector. A failing collector does not hide the others' metrics."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)


class SubjectCollector(Protocol):
    """Yields the families that it can fill, then raises if a source is unreadable."""

    name: str

    def collect(self) -> Iterator[Metric]: ...


class Scrape(Collector):
    """All collectors as one, for a CollectorRegistry. Scrapes run one at a time, so that no collector counts twice."""

    def __init__(self, collectors: Sequence[SubjectCollector], before: Callable[[], None] = lambda: None):
        """Collect from these. Each scrape calls `before` first."""
        self._collectors, self._before = collectors, before
        self._failing: set[str] = set()
        self._lock = Lock()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            return iter(self._families())

    def _families(self) -> list[Metric]:
        families: list[Metric] = []
        success: dict[str, float] = {}
        seconds: dict[str, float] = {}
        self._before()
        for collector in self._collectors:
            started, failure = time.perf_counter(), None
            try:
                for family in collector.collect():
                    families.append(family)  # one by one, to keep families from before a failure
            except Exception as error:  # bugs too: Prometheus still gets the other metrics
                failure = error
            seconds[collector.name] = time.perf_counter() - started
            success[collector.name] = failure is None
            self._log_change(collector.name, failure)
        text = "1 if the collector read all its sources, else 0; a missing source is no failure."
        families.append(gauge_by("collector", "doodle_exporter_collector_success", text, success))
        text = "Duration of the collector in this scrape."
        families.append(gauge_by("collector", "doodle_exporter_collector_duration_seconds", text, seconds))
        return families

    def _log_change(self, name: str, failure: Exception | None) -> None:
        """Log when a collector starts to fail and when it recovers, not at each scrape."""
        if failure is not None and name not in self._failing:
            log.warning("event=collector_failed collector=%s error=%s reason=%r", name, type(failure).__name__, str(failure))
            self._failing.add(name)
        elif failure is None and name in self._failing:
            log.info("event=collector_recovered collector=%s", name)
            self._failing.remove(name)


def gauge_by(label: str, name: str, text: str, values: Mapping[str, float | None]) -> GaugeMetricFamily:
    """Return a gauge with a sample for each value other than None."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for labeled, value in values.items():
        if value is not None:
            family.add_metric([labeled], value)
    return family
