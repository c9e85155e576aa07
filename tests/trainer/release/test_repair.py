"""The trainer repairs a damaged live model."""

import pytest
from stores.models import LIVE, StoreError
from trainer.release.repair import LiveCheck


@pytest.fixture
def models(folder_place):
    return folder_place.models


@pytest.fixture
def release(save_model, models, tmp_path):
    """release(seed): make a model live, with a sound copy in the folder of this name. Return its version."""

    def release(seed):
        version = save_model(tmp_path / str(seed), seed)["version"]
        models.publish(tmp_path / str(seed))
        models.promote(version)
        return version

    return release


@pytest.mark.parametrize(
    ("copies", "becomes_live"), [(["1", "2"], 2), (["1"], 1), ([], 1)], ids=["its own copy", "another copy", "an older version"]
)
@pytest.mark.parametrize("damaged", ["versions/{live}/weights.npz", "versions/{live}/model.json", LIVE])
def test_repairs_what_stays_damaged(models, folder_place, release, tmp_path, copies, becomes_live, damaged):
    versions = {seed: release(seed) for seed in (1, 2)}
    live_check = LiveCheck(models, [tmp_path / name for name in copies], attempts=2)
    live_check.check()
    folder_place.write(damaged.format(live=versions[2]), b"damage")
    for _ in range(2):
        with pytest.raises(StoreError):
            live_check.check()
    live_check.check()
    assert models.alias(LIVE) == versions[1 if damaged == LIVE else becomes_live]
    models.load(models.alias(LIVE))


def test_publishes_a_sound_copy_into_a_store_without_a_sound_version(models, folder_place, release, save_model, tmp_path):
    damaged = release(1)
    folder_place.write(f"versions/{damaged}/weights.npz", b"damage")
    (tmp_path / "1" / "weights.npz").write_bytes(b"damage")
    live_check = LiveCheck(models, [tmp_path / "1"], attempts=1)
    with pytest.raises(StoreError):
        live_check.check()
    assert models.alias(LIVE) == damaged, "nothing is sound"
    sound = save_model(tmp_path / "sound", 2)["version"]
    with pytest.raises(StoreError):
        LiveCheck(models, [tmp_path / "1", tmp_path / "sound"], attempts=1).check()
    assert models.alias(LIVE) == sound


def test_finds_damage_that_leaves_the_files_state(models, folder_place, release, monkeypatch):
    live = release(1)
    live_check = LiveCheck(models, [], recheck_seconds=0)
    live_check.check()
    folder_place.write(f"versions/{live}/weights.npz", b"damage")
    monkeypatch.setattr(models, "state", lambda version: live_check._sound)
    with pytest.raises(StoreError):
        live_check.check()
