"""`python -m trainer models`: what is live is seen, and changed, from the command line."""

import pytest
from stores.models import CANDIDATE, LIVE
from trainer.__main__ import main


@pytest.fixture
def models(place, monkeypatch):
    monkeypatch.setenv("DOODLE_MODELS", place.url)
    return place.models


@pytest.fixture
def versions(models, save_model, tmp_path, tick):
    """Two, the second live."""
    abouts = {"recipe": {"recipe": "best"}, "test": {"accuracy": 0.99671}}, {}
    cards = [save_model(tmp_path / str(seed), seed, about) for seed, about in enumerate(abouts)]
    for seed, card in enumerate(cards):
        models.publish(tmp_path / str(seed))
        models.promote(card["version"])
        tick()  # they are listed by time
    return [card["version"] for card in cards]


@pytest.mark.parametrize("arguments", [["models"], ["models", "list"]])
def test_each_version_is_listed_with_what_is_known_of_it(models, versions, capsys, arguments):
    models.point(CANDIDATE, versions[0])
    assert main(arguments) == 0
    heading, first, second = (line.split() for line in capsys.readouterr().out.splitlines())
    assert heading == ["VERSION", "PUBLISHED", "ACCURACY", "RECIPE"]
    assert (first[0], *first[3:]) == (versions[0], "99.67%", "best", "candidate")
    assert (second[0], *second[3:]) == (versions[1], "-", "-", "live")


def test_a_damaged_version_is_listed_as_such(models, place, versions, capsys):
    place.write(f"versions/{versions[0]}/model.json", b"{")
    main(["models"])
    lines = {line.split()[0]: line.split()[3] for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines[versions[0]] == "damaged"


def test_a_version_may_be_both(models, versions, capsys):
    models.point(CANDIDATE, versions[1])
    main(["models"])
    assert capsys.readouterr().out.splitlines()[2].split()[-2:] == ["live", "candidate"]


def test_a_damaged_pointer_is_mended_from_here(models, place, versions, capsys):
    place.write(LIVE, b"\xff")
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


def test_a_model_is_published_from_its_folder(models, versions, save_model, tmp_path, caplog):
    caplog.set_level("INFO")
    third = save_model(tmp_path / "third", 3)["version"]
    assert main(["models", "publish", str(tmp_path / "third")]) == 0
    assert caplog.messages[-1] == f"{third} is in {models}"
    assert (third in models.versions(), models.pointer(LIVE)) == (True, versions[1])
    assert main(["models", "publish", str(tmp_path / "third"), "--promote"]) == 0
    assert models.pointer(LIVE) == third
    assert caplog.messages[-1] == f"{third} is live, before it was {versions[1]}"


def test_a_folder_without_a_model_is_not_published(models, versions, tmp_path, caplog):
    assert main(["models", "publish", str(tmp_path / "nowhere"), "--promote"]) == 1
    assert "nowhere/model.json cannot be read" in caplog.messages[-1]
    assert models.pointer(LIVE) == versions[1]


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
