"""The model collector reports the store's aliases and cards, and names unreadable files."""

import json
import re

import pytest
from digitnet.checkpoint import sealed
from exporter.model_collector import HELP, ModelCollector
from stores.models import StoreError
from stores.models.folder import FolderModels


@pytest.fixture
def collected(models, collect):
    """collected(): collect the store and return (samples, error)."""
    return lambda: collect(ModelCollector(models))


def test_counts_versions_without_aliases_or_a_store(collected, publish):
    for count in range(3):
        assert collected() == ({("doodle_store_versions",): count}, None)
        publish(seed=count)


def test_omits_the_data_label_without_a_hash(collected, models, publish):
    models.point("live", publish(about={"data": {"digits": 60_000}}))
    samples, error = collected()
    assert error is None
    assert not [name for name, *_ in samples if name == "doodle_store_model_data_info"]


def test_labels_follow_a_moved_alias(collected, models, publish):
    first, second = publish(seed=1, test={"accuracy": 0.9}), publish(seed=2, test={"accuracy": 0.8})
    for live, candidate, accuracies in ((first, second, (0.9, 0.8)), (second, first, (0.8, 0.9))):
        models.point("live", live)
        models.point("candidate", candidate)
        samples, error = collected()
        assert error is None
        info = {labels[1:] for labels in samples if labels[0] == "doodle_store_pointer_info"}
        assert info == {("live", live), ("candidate", candidate)}
        assert tuple(samples["doodle_store_model_accuracy_ratio", alias] for alias in ("live", "candidate")) == accuracies


def test_omits_figures_that_the_card_lacks(collected, models, publish):
    version = publish(about={"note": "never measured"})
    models.point("live", version)
    samples, error = collected()
    assert error is None
    assert set(samples) == {
        ("doodle_store_versions",),
        ("doodle_store_pointer_info", "live", version),
        ("doodle_store_model_parameters", "live"),
        ("doodle_store_model_size_bytes", "live"),
    }


def test_never_reads_the_weights(collected, models, publish):
    version = publish()
    models.point("live", version)
    before = collected()
    weights = models.folder / "versions" / version / "weights.npz"
    weights.write_bytes(b"?" * weights.stat().st_size)
    assert collected() == before


class TestDamage:
    @pytest.fixture
    def live(self, models, publish):
        """Promote a model and name a candidate; return the live model's folder."""
        live = publish(seed=1)
        models.point("live", live)
        models.point("candidate", publish(seed=2))
        return models.folder / "versions" / live

    def assert_only_the_candidate_is_known(self, samples):
        assert [labels[1] for labels in samples if labels[0] in HELP] == ["candidate"] * len(HELP)

    @pytest.mark.parametrize(
        ("damage", "reason"),
        [
            (lambda card: card.write_bytes(b""), "model.json is no"),
            (lambda card: card.write_bytes(card.read_bytes().replace(b"0.75", b"0.99")), "model.json was edited"),
            (lambda card: card.with_name("weights.npz").unlink(), "(/weights.npz)? cannot be read"),
        ],
    )
    def test_damaged_files_keep_both_aliases_and_the_other_model(self, collected, models, live, damage, reason):
        damage(live / "model.json")
        samples, error = collected()
        assert isinstance(error, StoreError)
        assert re.search(f"{live}.*{reason}", str(error))
        for alias in ("live", "candidate"):
            assert samples["doodle_store_pointer_info", alias, models.alias(alias)] == 1
        self.assert_only_the_candidate_is_known(samples)

    @pytest.mark.parametrize(("part", "name", "value"), [("test", "accuracy", "high"), ("training", "finished_at", "2026-01-02")])
    def test_omits_all_figures_of_a_card_with_a_wrong_one(self, collected, live, part, name, value):
        card = live / "model.json"
        card.write_text(json.dumps(sealed(json.loads(card.read_text()) | {part: {name: value}})))  # with a valid checksum
        samples, error = collected()
        assert re.match(rf"the card of {live.name} is damaged: .*\n{part}.{name}\n  Input should ", str(error))
        self.assert_only_the_candidate_is_known(samples)

    def test_a_damaged_alias_gets_no_label(self, collected, models, live):
        (models.folder / "live").write_bytes(b'evil"}\nversion')
        samples, error = collected()
        assert "live is damaged" in str(error)
        info = [labels for labels in samples if labels[0] == "doodle_store_pointer_info"]
        assert info == [("doodle_store_pointer_info", "candidate", models.alias("candidate"))]
        self.assert_only_the_candidate_is_known(samples)
        (models.folder / "candidate").write_bytes(b"nonsense")
        samples, error = collected()
        assert re.search("live is damaged.*; .*candidate is damaged", str(error))
        assert samples == {("doodle_store_versions",): 2}

    def test_a_file_instead_of_the_store_is_a_failure(self, tmp_path, collect):
        (tmp_path / "file").write_text("in the way")
        samples, error = collect(ModelCollector(FolderModels(tmp_path / "file")))
        assert (samples, type(error)) == ({}, StoreError)
