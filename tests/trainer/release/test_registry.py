"""artifacts/model seeds an empty model store, and stages find the right store."""

import pytest
from stores.models import CANDIDATE, LIVE, StoreError
from trainer.release.registry import ComposeRegistry, StoreRegistry, find_registry, seed


@pytest.fixture
def models(folder_place, caplog):
    caplog.set_level("INFO")
    return folder_place.models


@pytest.fixture
def make_model(save_model, tmp_path):
    """make_model(seed, name): save a model in artifacts and return its version."""
    return lambda seed=0, name="model": save_model(tmp_path / "artifacts" / name, seed)["version"]


@pytest.fixture
def folders(tmp_path):
    return [tmp_path / "artifacts" / "none", tmp_path / "artifacts" / "model"]


def messages(caplog, event):
    return [record.getMessage() for record in caplog.records if f"event={event} " in record.getMessage()]


def test_seeds_only_an_empty_store(folders, make_model, models, caplog):
    assert seed(models, folders) is None
    assert caplog.records == [], "a missing folder is no error"
    first = make_model(1)
    assert seed(models, folders) == models.alias(LIVE) == first
    second = make_model(2)
    assert seed(models, folders) == first, "a file must not change the live version"
    assert models.versions() == [first]
    models.promote(models.publish(folders[1])["version"])
    models.rollback()
    assert seed(models, folders) == models.alias(LIVE) == first
    assert (len(messages(caplog, "model_published")), second in models.versions()) == (1, True)


def test_seeds_an_emptied_store_again(folders, make_model, models, folder_place):
    version = make_model()
    seed(models, folders)
    for name in folder_place.names():
        folder_place.remove(name)
    assert seed(models, folders) == models.alias(LIVE) == version
    models.load(version)


@pytest.mark.parametrize("name", ["weights.npz", "model.json"])
def test_seeds_from_the_next_folder_if_one_is_damaged(folders, make_model, models, caplog, name):
    make_model(1)
    (folders[1] / name).write_bytes(b"damage")
    assert seed(models, folders) is None
    (line,) = messages(caplog, "model_not_published")
    assert str(folders[1] / name) in line
    make_model(2, "other")
    assert seed(models, [*folders, folders[1].parent / "other"]) == models.alias(LIVE) is not None


def test_seeds_the_released_model_with_a_first_candidate(folders, make_model, models, folder_place):
    """The test stage needs a live model to compare, and rollback an earlier version."""
    first, second = make_model(1), make_model(2, "candidate")
    registry = StoreRegistry(folder_place.url, folders)
    registry.publish(folders[1].parent / "candidate", CANDIDATE)
    assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, second)
    registry.clear_candidate()
    assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, None)
    registry.publish(folders[1].parent / "candidate", LIVE)
    assert models.alias(LIVE) == second
    assert models.rollback() == first


@pytest.mark.parametrize(
    ("models", "answer", "found"),
    [
        ("file:///models", "echo 0123 {folder}", "file:///models"),
        (None, "echo 4567 /elsewhere; echo 0123 {folder}", None),
        (None, "echo 4567 /elsewhere", "state/models"),
        (None, "echo cannot connect >&2; exit 1", "state/models"),
        (None, None, "state/models"),
    ],
)
def test_finds_the_store_by_name_compose_stack_or_default(tmp_path, monkeypatch, models, answer, found):
    monkeypatch.setenv("PATH", str(tmp_path))
    if answer is not None:
        (tmp_path / "docker").write_text(f"#!/bin/sh\n{answer.format(folder=tmp_path)}\n")
        (tmp_path / "docker").chmod(0o755)
    registry = find_registry(models, tmp_path, [])
    assert (registry.models, isinstance(registry, ComposeRegistry)) == (found, found is None)


def test_an_error_of_the_stack_s_trainer_is_raised(tmp_path, monkeypatch):
    (tmp_path / "docker").write_text("#!/bin/sh\necho $@ >&2; exit 1\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StoreError, match=r"exec 0123 python -m trainer models publish /artifacts/candidate --promote"):
        ComposeRegistry("0123").publish(tmp_path / "candidate", LIVE)
