"""`python -m trainer models` lists versions and changes aliases."""

import pytest
from stores.models import CANDIDATE, LIVE
from trainer.__main__ import main


@pytest.fixture
def models(folder_place, monkeypatch, caplog):
    caplog.set_level("INFO")
    monkeypatch.setenv("DOODLE_MODELS", folder_place.url)
    return folder_place.models


@pytest.fixture
def versions(models, save_model, tmp_path):
    """Publish two versions; the second is live."""
    versions = []
    for seed, about in enumerate(({"recipe": {"recipe": "best"}, "test": {"accuracy": 0.99671}}, {})):
        versions.append(save_model(tmp_path / str(seed), seed, about)["version"])
        models.publish(tmp_path / str(seed))
        models.promote(versions[-1])
    return versions


@pytest.fixture
def listed(capsys):
    """listed(): return the words of each line of the table."""

    def listed(*arguments):
        capsys.readouterr()
        assert main(["models", *arguments]) == 0
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return listed


def test_lists_versions_and_sets_a_candidate(models, versions, listed):
    assert main(["models", "candidate", versions[0]]) == 0
    assert (models.alias(CANDIDATE), models.alias(LIVE)) == tuple(versions)
    heading, *rows = listed("list")
    assert heading == ["VERSION", "PUBLISHED", "ACCURACY", "RECIPE"]
    assert sorted((row[0], *row[3:]) for row in rows) == sorted(
        [(versions[0], "99.67%", "best", "candidate"), (versions[1], "-", "-", "live")]
    )
    models.point(CANDIDATE, versions[1])
    assert {row[0]: row[5:] for row in listed()[1:]} == {versions[0]: [], versions[1]: ["live", "candidate"]}
    assert main(["models", "candidate"]) == 0
    assert models.alias(CANDIDATE) is None


def test_lists_damaged_versions_and_repairs_an_alias(models, folder_place, versions, listed):
    folder_place.write(f"versions/{versions[0]}/weights.npz", b"damage")
    folder_place.write(LIVE, b"\xff")
    assert {row[0]: row[3:] for row in listed()[1:]} == {versions[0]: ["damaged", "-"], versions[1]: ["-", "-"]}
    assert main(["models", "promote", versions[1]]) == 0
    assert models.alias(LIVE) == versions[1]


def test_publishes_promotes_and_rolls_back(save_model, tmp_path, models, caplog):
    assert main(["models", "rollback"]) == 1
    assert "was live before any other" in caplog.messages[-1]
    folder = tmp_path / "model"
    first = save_model(folder, 1)["version"]
    assert main(["models", "publish", str(folder), "--promote"]) == 0
    assert caplog.messages[-1] == f"{first} is in {models}, and live"
    second = save_model(folder, 2)["version"]
    assert main(["models", "publish", str(folder)]) == 0
    assert caplog.messages[-1] == f"{second} is in {models}"
    assert (second in models.versions(), models.alias(LIVE)) == (True, first)
    assert main(["models", "promote", second]) == 0
    assert models.alias(LIVE) == second
    assert caplog.messages[-1] == f"{second} is live"
    assert main(["models", "rollback"]) == 0
    assert models.alias(LIVE) == first
    assert caplog.messages[-1] == f"{first} is live again"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["promote", "000000000000"], "cannot be read"),
        (["promote", "../live"], "is not a version"),
        (["candidate", "000000000000"], "cannot be read"),
        (["publish", "nowhere", "--promote"], "nowhere/model.json cannot be read"),
    ],
)
def test_explains_an_error_and_changes_nothing(models, versions, caplog, arguments, reason):
    assert main(["models", *arguments]) == 1
    assert reason in caplog.messages[-1]
    assert (models.alias(LIVE), models.alias(CANDIDATE)) == (versions[1], None)
