"""The model collector: what is known of the store, and how it says that something there cannot be read."""

import json
import re

import pytest
from digitnet.checkpoint import sealed
from exporter.model_collector import HELP, ModelCollector
from stores.folder_models import FolderModels
from stores.models import StoreError, UnreachableError, open_models


@pytest.fixture
def models(place):
    return place.models


@pytest.fixture
def collected(models, collect):
    """collected() -> (samples, error) of the store as it is now."""
    return lambda: collect(ModelCollector(models))


def change_card(place, version, **changes):
    """As a careless maker would have written it: its checksum agrees."""
    name = f"versions/{version}/model.json"
    place.write(name, json.dumps(sealed(json.loads(place.read(name)) | changes)).encode())


def test_a_store_that_is_not_there_yet_has_no_versions_and_is_no_failure(collected):
    assert collected() == ({("doodle_store_versions",): 0}, None)


def test_models_that_no_pointer_names_are_counted_and_no_more(collected, publish):
    publish(seed=1)
    publish(seed=2)
    assert collected() == ({("doodle_store_versions",): 2}, None)


def test_the_figures_of_the_live_model_come_from_its_card(collected, models, publish):
    version = publish()
    models.point("live", version)
    assert collected() == (
        {
            ("doodle_store_versions",): 1,
            ("doodle_store_pointer_info", "live", version): 1,
            ("doodle_store_model_data_info", "live", "0123456789ab"): 1,
            ("doodle_store_model_accuracy_ratio", "live"): 0.75,
            ("doodle_store_model_parameters", "live"): 7850,
            ("doodle_store_model_size_bytes", "live"): models.size(version),
            ("doodle_store_model_trained_timestamp_seconds", "live"): 1_767_323_045,
            ("doodle_store_model_training_seconds", "live"): 61.5,
        },
        None,
    )


@pytest.mark.parametrize("data", [None, "digits", {"sha256": 7}, {"sha256": "no hash"}, {"sha256": "A" * 64}])
def test_a_card_that_does_not_say_what_data_it_was_has_no_label_for_it(collected, models, publish, data):
    models.point("live", publish(about={"data": data}))
    samples, error = collected()
    assert error is None
    assert not [name for name, *_ in samples if name == "doodle_store_model_data_info"]


def test_live_and_candidate_have_figures_of_their_own(collected, models, publish):
    models.point("live", publish(seed=1, about={"test": {"accuracy": 0.9}}))
    models.point("candidate", publish(seed=2, about={"test": {"accuracy": 0.8}}))
    samples, error = collected()
    assert error is None
    assert samples["doodle_store_model_accuracy_ratio", "live"] == 0.9
    assert samples["doodle_store_model_accuracy_ratio", "candidate"] == 0.8


def test_a_pointer_that_moves_takes_its_labels_along(collected, models, publish):
    first, second = publish(seed=1), publish(seed=2)
    models.point("live", first)
    collected()
    models.point("live", second)
    samples, _ = collected()
    assert ("doodle_store_pointer_info", "live", second) in samples
    assert ("doodle_store_pointer_info", "live", first) not in samples


def test_what_a_card_does_not_say_is_absent_and_no_failure(collected, models, publish):
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


def test_the_weights_are_never_read(collected, models, publish, place):
    version = publish()
    models.point("live", version)
    before = collected()
    weights = f"versions/{version}/weights.npz"
    place.write(weights, b"?" * len(place.read(weights)))
    assert collected() == before


class TestDamage:
    @pytest.fixture
    def both(self, models, publish):
        """A live model and a candidate, by version."""
        live, candidate = publish(seed=1), publish(seed=2)
        models.point("live", live)
        models.point("candidate", candidate)
        return live, candidate

    def assert_only_the_candidate_is_known(self, samples):
        assert {labels[1] for labels in samples if labels[0] in HELP} == {"candidate"}
        assert len([labels for labels in samples if labels[0] in HELP]) == len(HELP)

    @pytest.mark.parametrize("content", [b"", b'{"format": "digitnet-mod', b"[]", b"\xff\xfe", b"[" * 100_000])
    def test_a_card_that_cannot_be_read_leaves_its_pointer_and_the_other_model(self, collected, models, both, content, place):
        live, candidate = both
        place.write(f"versions/{live}/model.json", content)
        samples, error = collected()
        assert isinstance(error, StoreError)
        assert f"versions/{live}/model.json" in str(error)
        assert samples["doodle_store_pointer_info", "live", live] == 1
        assert samples["doodle_store_pointer_info", "candidate", candidate] == 1
        self.assert_only_the_candidate_is_known(samples)

    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"test": {"accuracy": "high"}}, "test.accuracy"),
            ({"test": 0.9}, "test.accuracy"),
            ({"network": {"parameters": "many"}}, "network.parameters"),
            ({"training": {"finished_at": "2026-01-02"}}, "training.finished_at"),
            ({"training": {"seconds": True}}, "training.seconds"),
        ],
    )
    def test_a_card_with_one_wrong_figure_is_not_half_believed(self, collected, models, both, changes, where, place):
        change_card(place, both[0], **changes)
        samples, error = collected()
        assert re.match(f"the card of {both[0]} is damaged: {where} is not ", str(error))
        self.assert_only_the_candidate_is_known(samples)

    def test_a_card_that_was_edited_is_not_shown(self, collected, both, place):
        name = f"versions/{both[0]}/model.json"
        place.write(name, place.read(name).replace(b"0.75", b"0.99"))
        samples, error = collected()
        assert re.search(f"{name} was edited", str(error))
        self.assert_only_the_candidate_is_known(samples)

    def test_missing_weights_are_a_failure(self, collected, models, both, place):
        place.remove(f"versions/{both[0]}/weights.npz")
        samples, error = collected()
        assert re.search(f"{both[0]}(/weights.npz)? cannot be read", str(error))
        self.assert_only_the_candidate_is_known(samples)

    def test_a_damaged_pointer_gets_no_label(self, collected, models, both, place):
        place.write("live", b'evil"}\nversion')
        samples, error = collected()
        assert "live names no version" in str(error)
        assert [labels for labels in samples if labels[0] == "doodle_store_pointer_info"] == [
            ("doodle_store_pointer_info", "candidate", both[1])
        ]
        self.assert_only_the_candidate_is_known(samples)

    def test_two_things_wrong_are_both_said(self, collected, models, both, place):
        for pointer in ("live", "candidate"):
            place.write(pointer, b"nonsense")
        samples, error = collected()
        assert "live names no version" in str(error)
        assert "candidate names no version" in str(error)
        assert samples == {("doodle_store_versions",): 2}

    def test_a_store_that_is_away_is_a_failure(self, collect, own_s3_server, monkeypatch):
        for name, value in own_s3_server.environment.items():
            monkeypatch.setenv(name, value)
        collector = ModelCollector(open_models(f"s3://{own_s3_server.new_bucket()}/models"))
        assert collect(collector) == ({("doodle_store_versions",): 0}, None)
        own_s3_server.stop()
        samples, error = collect(collector)
        assert (samples, type(error)) == ({}, UnreachableError)

    def test_a_file_in_the_store_s_place_is_a_failure(self, tmp_path, collect):
        (tmp_path / "file").write_text("in the way")
        samples, error = collect(ModelCollector(FolderModels(tmp_path / "file")))
        assert (samples, type(error)) == ({}, StoreError)
