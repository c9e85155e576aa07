"""From the pipeline's model folder into the store: new models become live, bad ones do not, an operator's choice stays."""

import json
import os
import shutil
import time

import pytest
from bounds import within
from digitnet import checkpoint
from stores.models import CANDIDATE, LIVE
from trainer.release.publish import Publisher, publishers


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "artifacts" / "model"


@pytest.fixture
def make_model(save_model, folder):
    """make_model(seed): what end leaves in the folder. Returns the version."""
    return lambda seed=0, about=None: save_model(folder, seed, about)["version"]


@pytest.fixture
def models(folder_place, caplog):
    caplog.set_level("INFO")
    return folder_place.models


@pytest.fixture
def publisher(folder, models):
    return Publisher(folder, models)


@pytest.fixture
def first(publisher, make_model, models):
    """The version that was live before."""
    version = make_model(1)
    publisher.look()
    assert models.alias(LIVE) == version
    return version


def later(path, seconds):
    """As if the file had been written so much later."""
    moment = path.stat().st_mtime + seconds
    os.utime(path, (moment, moment))


def said(caplog, event):
    return [record.getMessage() for record in caplog.records if f"event={event} " in record.getMessage()]


def test_publishes_each_model_once_and_it_is_live(folder, make_model, models, publisher, caplog):
    publisher.look()
    assert caplog.records == [], "a folder that is not there is no error"
    first = make_model(1)
    publisher.look()
    assert models.alias(LIVE) == first
    models.load(first)
    before = models.state(first)
    publisher.look()
    Publisher(folder, models).look()  # after a restart
    assert models.state(first) == before
    assert len(said(caplog, "model_published")) == 1
    second = make_model(2)
    publisher.look()
    assert models.alias(LIVE) == second
    assert set(models.versions()) == {first, second}


def test_a_restart_keeps_the_choice_of_an_older_version_and_a_changed_folder_does_not(
    folder, first, make_model, models, publisher
):
    """As `git checkout` and `dvc checkout` change it."""
    second = make_model(2)
    publisher.look()
    time.sleep(0.01)
    models.point(LIVE, first)
    Publisher(folder, models).look()
    assert models.alias(LIVE) == first
    models.point(LIVE, second)
    make_model(1)
    later(folder / "model.json", 1)
    publisher.look()
    assert models.alias(LIVE) == first


@pytest.mark.parametrize("is_first", [True, False], ids=["none before it", "the next one"])
def test_a_model_that_comes_after_the_clock_was_set_back_is_live(folder, first, make_model, models, publisher, is_first):
    """Its files are older than the live pointer then, by an hour."""
    if is_first:
        shutil.rmtree(folder)
        publisher.look()
        assert models.alias(LIVE) == first
    version = make_model(2)
    later(folder / "model.json", -3600)
    publisher.look()
    assert models.alias(LIVE) == version


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
def test_a_clock_that_is_not_the_store_s_changes_nothing(folder, make_model, s3_place, monkeypatch, wrong_by):
    """A trainer's wrong clock dates the files, the object store's dates the pointer."""
    models, clock = s3_place.models, time.time
    monkeypatch.setattr("stores.models.s3_bucket.time.time", lambda: clock() + wrong_by)
    first = make_model(1)
    models.promote(models.publish(folder)["version"])
    make_model(2)
    later(folder / "model.json", wrong_by - 5)
    Publisher(folder, models).look()
    assert models.alias(LIVE) == first
    third = make_model(3)
    later(folder / "model.json", wrong_by + 5)
    Publisher(folder, models).look()
    assert models.alias(LIVE) == third


def test_the_same_network_measured_anew_has_a_new_card(make_model, models, publisher):
    version = make_model(about={"test": {"accuracy": 0.1}})
    publisher.look()
    assert make_model(about={"test": {"accuracy": 0.2}}) == version
    publisher.look()
    assert models.card(version)["test"] == {"accuracy": 0.2}


def test_repairs_an_emptied_store_and_after_a_restart_a_damaged_version(first, models, folder, folder_place, publisher):
    for name in folder_place.names():
        folder_place.remove(name)
    publisher.look()
    assert models.alias(LIVE) == first
    models.load(first)
    folder_place.write(f"versions/{first}/weights.npz", b"damage")
    Publisher(folder, models).look()
    models.load(first)


def test_a_folder_that_goes_during_a_look_is_looked_at_again(publisher, first, folder, make_model, models, monkeypatch, caplog):
    """dvc removes a stage's old result before it runs the stage."""
    publish = models.publish

    def publish_and_lose(source):
        card = publish(source)
        (folder / "model.json").unlink()
        return card

    monkeypatch.setattr(models, "publish", publish_and_lose)
    make_model(2)
    publisher.look()
    assert (models.alias(LIVE), said(caplog, "model_not_published")) == (first, [])
    second = make_model(2)
    publisher.look()
    assert models.alias(LIVE) == second


@pytest.mark.parametrize("name", ["weights.npz", "model.json"])
def test_a_damaged_model_is_logged_once_and_a_good_one_is_taken_after_it(
    first, folder, make_model, publisher, models, caplog, name
):
    make_model(2)
    (folder / name).write_bytes(b"damage")
    publisher.look()
    assert said(caplog, "model_not_published") == [], "it may be half of one that is being written"
    for _ in range(3):
        publisher.look()
    assert models.alias(LIVE) == first
    (line,) = said(caplog, "model_not_published")
    assert str(folder / name) in line
    second = make_model(2)
    publisher.look()
    assert models.alias(LIVE) == second


def test_a_store_that_cannot_be_written_is_tried_again(make_model, publisher, models, caplog):
    version = make_model()
    models.folder.write_text("in the way")
    for _ in range(3):
        publisher.look()
    (line,) = said(caplog, "model_not_published")
    assert str(models.folder) in line
    models.folder.unlink()
    publisher.look()
    assert models.alias(LIVE) == version


class TestCandidate:
    """Beside `first`, which was released before there is a candidate."""

    @pytest.fixture
    def candidate(self, first, save_model, tmp_path):
        time.sleep(0.01)
        return save_model(tmp_path / "artifacts" / "candidate", 2)["version"]

    @pytest.fixture
    def restart(self, tmp_path, models):
        """restart(): a trainer's look after its start. It returns its next ones."""

        def restart():
            following = publishers(tmp_path / "artifacts", models)

            def look():
                for each in following:
                    each.look()

            look()
            return look

        return restart

    def say(self, artifacts, version, passed):
        """As test does."""
        time.sleep(0.01)
        content = json.dumps({"version": version, "passed": passed, "problems": []})
        checkpoint.write_atomically(artifacts / "test_result.json", content.encode())

    def test_is_published_beside_the_live_model_and_live_once_it_is_released(
        self, restart, first, candidate, models, make_model, tmp_path
    ):
        look = restart()
        assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, candidate)
        models.load(candidate)
        self.say(tmp_path / "artifacts", candidate, passed=True)
        look()
        assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, candidate)
        assert make_model(2) == candidate
        look()
        assert (models.alias(LIVE), models.alias(CANDIDATE)) == (candidate, None)
        restart()
        assert models.alias(CANDIDATE) is None
        assert models.rollback() == first

    def test_is_none_any_more_once_it_was_refused(self, restart, first, candidate, models, tmp_path, caplog):
        look = restart()
        self.say(tmp_path / "artifacts", candidate, passed=False)
        look()
        assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, None)
        (line,) = said(caplog, "candidate_refused")
        assert f"version={candidate} " in line
        restart()
        assert models.alias(CANDIDATE) is None
        time.sleep(0.01)
        models.point(CANDIDATE, candidate)  # by hand
        restart()
        assert models.alias(CANDIDATE) == candidate
        models.clear(CANDIDATE)
        (tmp_path / "artifacts" / "test_result.json").unlink()  # it is to be tested again
        look()
        assert models.alias(CANDIDATE) == candidate

    def test_is_not_refused_by_a_damaged_result_or_another_version_s(self, restart, candidate, models, tmp_path):
        for content in ("[]", '{"version": "another", "passed": false, "problems": []}'):
            (tmp_path / "artifacts" / "test_result.json").write_text(content)
            restart()
            assert models.alias(CANDIDATE) == candidate

    @pytest.mark.parametrize("name", ["test_result.json", "model/weights.npz", "candidate/model.json"])
    def test_a_pipe_does_not_block_the_trainer(self, restart, first, candidate, tmp_path, models, name):
        (tmp_path / "artifacts" / name).unlink(missing_ok=True)
        os.mkfifo(tmp_path / "artifacts" / name)
        with within():
            restart()()
        assert models.alias(LIVE) == first

    def test_a_damaged_one_leaves_both_pointers(self, restart, first, candidate, models, tmp_path, caplog):
        (tmp_path / "artifacts" / "candidate" / "weights.npz").write_bytes(b"damage")
        restart()()
        assert (models.alias(LIVE), models.alias(CANDIDATE)) == (first, None)
        (line,) = said(caplog, "model_not_published")
        assert str(tmp_path / "artifacts" / "candidate") in line
