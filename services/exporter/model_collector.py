"""The model store: its number of versions, and the cards of the live model and the candidate."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from stores.models import ALIASES, ModelStore, StoreError

from exporter.results import CardFigures
from exporter.scrape import gauge_by

HELP = {
    "doodle_store_model_accuracy_ratio": "Accuracy on MNIST's test digits, from the model card.",
    "doodle_store_model_parameters": "Number of parameters.",
    "doodle_store_model_size_bytes": "Size of the model in the store.",
    "doodle_store_model_trained_timestamp_seconds": "End of the model's training.",
    "doodle_store_model_training_seconds": "Duration of the model's training.",
}


class ModelCollector:
    """Reads model cards, never weights, which the API validates. An empty store is no failure."""

    name = "model"

    def __init__(self, models: ModelStore):
        self._models = models

    def collect(self) -> Iterator[Metric]:
        """Yield the readable metrics, then raise StoreError if an alias or its model card is unreadable."""
        yield GaugeMetricFamily("doodle_store_versions", "Versions in the model store.", len(self._models.versions()))
        aliases = InfoMetricFamily("doodle_store_pointer", "Always 1; the labels are alias and version.", labels=["pointer"])
        data = InfoMetricFamily(
            "doodle_store_model_data", "Always 1; the label data is the hash of the training data.", labels=["pointer"]
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
                    data.add_metric([alias], {"data": card.data[:12]})  # the length of a version
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
