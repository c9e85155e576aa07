"""One scrape: each collector in turn, timed, and none taking another's figures away when it fails."""

import logging
import time
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Protocol

from prometheus_client.core import GaugeMetricFamily, Metric

log = logging.getLogger(__name__)


class SubjectCollector(Protocol):
    """Yields fresh families, as many as it can fill; if something kept it from more, it raises at the end of them."""

    name: str

    def collect(self) -> Iterator[Metric]: ...


class Scrape:
    """All collectors as one, in the form that a CollectorRegistry takes. Several scrapes may go on at once."""

    def __init__(self, collectors: Sequence[SubjectCollector]):
        self._collectors = collectors
        self._failing: set[str] = set()
        self._lock = Lock()

    def collect(self) -> Iterator[Metric]:
        success = GaugeMetricFamily(
            "doodle_exporter_collector_success",
            "1 if the collector could read all that there is, else 0; that nothing is there yet is no failure.",
            labels=["collector"],
        )
        duration = GaugeMetricFamily(
            "doodle_exporter_collector_duration_seconds", "How long the collector took in this scrape.", labels=["collector"]
        )
        for collector in self._collectors:
            started = time.perf_counter()
            families, failure = _ask(collector)
            duration.add_metric([collector.name], time.perf_counter() - started)
            success.add_metric([collector.name], int(failure is None))
            self._note(collector.name, failure)
            yield from families
        yield success
        yield duration

    def _note(self, name, failure):
        """A line when a collector begins to fail and one when it has recovered, not one a scrape."""
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


def _ask(collector):
    families = []
    try:
        for family in collector.collect():
            families.append(family)
    except Exception as error:  # a fault of the collector's own, too: Prometheus still gets what the others know
        return families, error
    return families, None
