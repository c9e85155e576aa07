"""Metric families with one label."""

from collections.abc import Mapping

from prometheus_client.core import GaugeMetricFamily


def gauge_by(label: str, name: str, text: str, values: Mapping[str, float | None]) -> GaugeMetricFamily:
    """Return a gauge with a sample for each value that is known."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for labelled, value in values.items():
        if value is not None:
            family.add_metric([labelled], value)
    return family
