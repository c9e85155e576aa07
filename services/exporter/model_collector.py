"""The model store: how many models there are, and what is known of those that are live or candidate."""

import re
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from stores.models import ALIASES, ModelStore, StoreError

from exporter.figures import FigureError, figure, timestamp

HELP = {
    "doodle_store_model_accuracy_ratio": "Part of MNIST's test digits that the model read right when it was measured, 0 to 1.",
    "doodle_store_model_parameters": "Parameters that the model has.",
    "doodle_store_model_size_bytes": "Bytes on disk, weights and card.",
    "doodle_store_model_trained_timestamp_seconds": "When the model's training ended, in seconds since 1970.",
    "doodle_store_model_training_seconds": "How long the model's training took.",
}


class ModelCollector:
    """Reads model cards, never weights: whether those are sound is for whoever serves them to find out.

    A store where nothing has been published yet has 0 versions and no alias, and that is no failure.
    """

    name = "model"

    def __init__(self, models: ModelStore):
        self.models = models

    def collect(self) -> Iterator[Metric]:
        """What is known; then StoreError if an alias, or the model that it names, cannot be read."""
        yield GaugeMetricFamily("doodle_store_versions", "Models in the store.", len(self.models.versions()))
        aliases = InfoMetricFamily(
            "doodle_store_pointer", "Always 1; the labels say which version a pointer names.", labels=["pointer"]
        )
        data = InfoMetricFamily(
            "doodle_store_model_data",
            "Always 1; the labels say what data a model learnt from, by its hash.",
            labels=["pointer"],
        )
        families = {name: GaugeMetricFamily(name, text, labels=["pointer"]) for name, text in HELP.items()}
        problems = []
        for alias in ALIASES:
            try:
                version = self.models.alias(alias)
                if version is None:
                    continue
                aliases.add_metric([alias], {"version": version})
                card = self.models.card(version)
                if (digest := _data(card)) is not None:
                    data.add_metric([alias], {"data": digest})
                for name, value in self._figures(version, card).items():
                    if value is not None:
                        families[name].add_metric([alias], value)
            except StoreError as error:
                problems.append(str(error))
        yield aliases
        yield data
        yield from families.values()
        if problems:
            raise StoreError("; ".join(problems))

    def _figures(self, version, card):
        """All of a model's figures or, where one of them is wrong, none: a card that was tampered with is not half believed."""
        try:
            return {
                "doodle_store_model_accuracy_ratio": figure(card, "test", "accuracy"),
                "doodle_store_model_parameters": figure(card, "network", "parameters"),
                "doodle_store_model_size_bytes": self.models.size(version),
                "doodle_store_model_trained_timestamp_seconds": timestamp(card, "training", "finished_at"),
                "doodle_store_model_training_seconds": figure(card, "training", "seconds"),
            }
        except FigureError as error:
            raise StoreError(f"the card of {version} is damaged: {error}") from error


def _data(card):
    """The first twelve digits of the hash, as versions have them; None where the card does not say."""
    about = card.get("data")
    digest = about.get("sha256") if isinstance(about, dict) else None
    return digest[:12] if isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) else None
