"""The model store: how many models it has, and the figures of those that are live or candidate."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from stores.models import ALIASES, ModelStore, StoreError

from exporter.results import CardFigures
from exporter.scrape import gauge_by

HELP = {
    "doodle_store_model_accuracy_ratio": "Accuracy on MNIST's test digits when the model was measured, 0 to 1.",
    "doodle_store_model_parameters": "Parameters of the model.",
    "doodle_store_model_size_bytes": "Bytes of the model in the store.",
    "doodle_store_model_trained_timestamp_seconds": "When the model's training ended, in seconds since 1970.",
    "doodle_store_model_training_seconds": "Duration of the model's training.",
}


class ModelCollector:
    """Reads model cards, never weights: the service validates those. An empty store is no failure."""

    name = "model"

    def __init__(self, models: ModelStore):
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield what is known; then StoreError if an alias, or the card of the model that it names, cannot be read."""
        yield GaugeMetricFamily("doodle_store_versions", "Models in the store.", len(self._models.versions()))
        aliases = InfoMetricFamily("doodle_store_pointer", "Always 1; the labels show an alias's version.", labels=["pointer"])
        data = InfoMetricFamily(
            "doodle_store_model_data", "Always 1; the label data shows the hash of the model's training data.", labels=["pointer"]
        )
        figures: dict[str, dict[str, float | None]] = {name: {} for name in HELP}
        problems = []
        for alias in ALIASES:
            try:
                version = self._models.alias(alias)
                if version is None:
                    continue
                aliases.add_metric([alias], {"version": version})
                card = self._card(version)
                if card.data:
                    data.add_metric([alias], {"data": card.data[:12]})  # as long as a version
                finished_at = card.finished_at.timestamp() if card.finished_at else None
                values = card.accuracy, card.parameters, self._models.size(version), finished_at, card.seconds
                for name, value in zip(HELP, values):
                    figures[name][alias] = value
            except StoreError as error:
                problems.append(str(error))
        yield aliases
        yield data
        for name, text in HELP.items():
            yield gauge_by("pointer", name, text, figures[name])
        if problems:
            raise StoreError("; ".join(problems))

    def _card(self, version: str) -> CardFigures:
        card = self._models.card(version)
        try:
            return CardFigures.model_validate(card)
        except ValueError as error:
            raise StoreError(f"the card of {version} is damaged: {error}") from error
