"""One scrape: each collector in turn, timed, and each failure reported without hiding the others' figures."""

import logging
import time
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = logging.getLogger(__name__)


class SubjectCollector(Protocol):
    """Yields families, as many as it can fill, and raises after them if something is missing."""

    name: str

    def collect(self) -> Iterator[Metric]: ...


class Scrape(Collector):
    """All collectors as one, for a CollectorRegistry. Several scrapes may run at once."""

    def __init__(self, collectors: Sequence[SubjectCollector]):
        self._collectors = collectors
        self._failing: set[str] = set()
        self._lock = Lock()

    def collect(self) -> Iterator[Metric]:
        success = GaugeMetricFamily(
            "doodle_exporter_collector_success",
            "1 if the collector could read all of its sources, else 0; a missing source is no failure.",
            labels=["collector"],
        )
        duration = GaugeMetricFamily(
            "doodle_exporter_collector_duration_seconds", "Duration of the collector in this scrape.", labels=["collector"]
        )
        for collector in self._collectors:
            started = time.perf_counter()
            families, failure = _collected(collector)
            duration.add_metric([collector.name], time.perf_counter() - started)
            success.add_metric([collector.name], int(failure is None))
            self._log_change(collector.name, failure)
            yield from families
        yield success
        yield duration

    def _log_change(self, name: str, failure: Exception | None) -> None:
        """Log when a collector begins to fail and when it has recovered, not at each scrape."""
        with self._lock:
            was_failing = name in self._failing
            if failure is None:
                self._failing.discard(name)
            else:
                self._failing.add(name)
        if failure is not None and not was_failing:
            log.warning("event=collector_failed collector=%s error=%s reason=%r", name, type(failure).__name__, str(failure))
        elif failure is None and was_failing:
            log.info("event=collector_recovered collector=%s", name)


def _collected(collector: SubjectCollector) -> tuple[list[Metric], Exception | None]:
    """Return the families, and what ended them early."""
    families = []
    try:
        for family in collector.collect():
            families.append(family)
    except Exception as error:  # a bug, too: Prometheus still gets the other figures
        return families, error
    return families, None
