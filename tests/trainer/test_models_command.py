"""`python -m trainer models`: what is live is seen, and changed, from the command line."""

import pytest
from stores.folder_models import FolderModels
from stores.models import CANDIDATE, LIVE
from trainer.__main__ import main


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("DOODLE_MODELS", str(tmp_path / "models"))
    return FolderModels(tmp_path / "models")


@pytest.fixture
def versions(models, save_model, tmp_path):
    """Two, the second live."""
    abouts = {"recipe": {"recipe": "best"}, "test": {"accuracy": 0.99671}}, {}
    cards = [save_model(tmp_path / str(seed), seed, about) for seed, about in enumerate(abouts)]
    for seed, card in enumerate(cards):
        models.publish(tmp_path / str(seed))
        models.promote(card["version"])
    return [card["version"] for card in cards]


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"]])
def test_each_version_is_listed_with_what_is_known_of_it(models, versions, capsys, arguments):
    models.point(CANDIDATE, versions[0])
    assert main(arguments) == 0
    heading, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heading == ["VERSION", "PUBLISHED", "ACCURACY", "RECIPE"]
    assert (first[0], *first[3:]) == (versions[0], "99.67%", "best", "candidate")
    assert (second[0], *second[3:]) == (versions[1], "-", "-", "live")


def test_a_damaged_version_is_listed_as_such(models, versions, capsys):
    (models.folder / "versions" / versions[0] / "model.json").write_text("{")
    main(["models"])
    assert capsys.readouterr().out.splitlines()[1].split()[3] == "damaged"


def test_a_version_may_be_both(models, versions, capsys):
    models.point(CANDIDATE, versions[1])
    main(["models"])
    assert capsys.readouterr().out.splitlines()[2].split()[-2:] == ["live", "candidate"]


def test_a_damaged_pointer_is_mended_from_here(models, versions, capsys):
    (models.folder / LIVE).write_bytes(b"\xff")
    assert main(["models"]) == 0
    assert "live" not in capsys.readouterr().out
    assert main(["models", "promote", versions[0]]) == 0
    assert models.pointer(LIVE) == versions[0]


def test_promote_and_rollback(models, versions, caplog):
    caplog.set_level("INFO")
    assert main(["models", "promote", versions[0]]) == 0
    assert models.pointer(LIVE) == versions[0]
    assert caplog.messages[-1] == f"{versions[0]} is live, before it was {versions[1]}"
    assert main(["models", "rollback"]) == 0
    assert models.pointer(LIVE) == versions[1]
    assert caplog.messages[-1] == f"{versions[1]} is live again, before it was {versions[0]}"


def test_a_candidate_is_named_and_unnamed(models, versions):
    assert main(["models", "candidate", versions[0]]) == 0
    assert (models.pointer(CANDIDATE), models.pointer(LIVE)) == tuple(versions)
    assert main(["models", "candidate"]) == 0
    assert models.pointer(CANDIDATE) is None
    assert main(["models", "candidate", "000000000000"]) == 1


def test_what_cannot_be_says_why_and_changes_nothing(models, versions, caplog):
    for arguments, reason in (
        (["promote", "000000000000"], "cannot be read"),
        (["promote", "../live"], "is no version"),
    ):
        assert main(["models", *arguments]) == 1
        assert reason in caplog.messages[-1]
    assert models.pointer(LIVE) == versions[1]


def test_an_empty_store_has_nothing_to_show_or_to_go_back_to(models, capsys, caplog):
    assert main(["models"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["models", "rollback"]) == 1
    assert "was live before any other" in caplog.messages[-1]
