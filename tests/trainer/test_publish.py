"""From the pipeline's model folder into the store: what is new is live, what is bad is not, what somebody chose stays."""

import json
import os
import shutil
import time

import pytest
from bounds import within
from digitnet import checkpoint
from stores.models import CANDIDATE, LIVE
from trainer.publish import Publisher, publishers


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "artifacts" / "model"


@pytest.fixture
def make_model(save_model, folder):
    """make_model(seed): what evaluate leaves in the folder. Returns the version."""
    return lambda seed=0, about=None: save_model(folder, seed, about)["version"]


@pytest.fixture
def models(place):
    return place.models


@pytest.fixture
def publisher(folder, models, caplog):
    caplog.set_level("INFO")
    return Publisher(folder, models)


def later(path, seconds):
    """As if the file had been written so much later."""
    moment = path.stat().st_mtime + seconds
    os.utime(path, (moment, moment))


def said(caplog, event):
    return [record.getMessage() for record in caplog.records if f"event={event} " in record.getMessage()]


def test_a_model_that_is_there_is_published_and_live(publisher, make_model, models):
    version = make_model()
    publisher.look()
    assert models.pointer(LIVE) == version
    models.load(version)


def test_a_folder_that_is_not_there_is_no_error(publisher, models, caplog):
    publisher.look()
    assert models.pointer(LIVE) is None
    assert caplog.records == []


def test_the_next_model_takes_its_place(publisher, make_model, models):
    first = make_model(1)
    publisher.look()
    second = make_model(2)
    publisher.look()
    assert models.pointer(LIVE) == second
    assert set(models.versions()) == {first, second}


def test_a_model_that_is_the_same_is_published_once(publisher, make_model, models, caplog):
    version = make_model()
    publisher.look()
    before = models.state(version)
    publisher.look()
    assert models.state(version) == before
    assert len(said(caplog, "model_published")) == 1


def test_a_restart_publishes_nothing_anew(folder, make_model, models, publisher):
    version = make_model()
    publisher.look()
    before = models.state(version)
    Publisher(folder, models).look()
    assert models.state(version) == before


def test_a_restart_does_not_undo_the_choice_of_an_older_version(folder, make_model, models, publisher):
    first = make_model(1)
    publisher.look()
    make_model(2)
    publisher.look()
    time.sleep(0.01)
    models.point(LIVE, first)
    Publisher(folder, models).look()
    assert models.pointer(LIVE) == first


def test_an_older_model_that_is_put_back_into_the_folder_is_live_again(folder, make_model, models, publisher):
    """As `git checkout` and `dvc checkout` do."""
    first = make_model(1)
    publisher.look()
    make_model(2)
    publisher.look()
    make_model(1)
    later(folder / "model.json", 1)
    publisher.look()
    assert models.pointer(LIVE) == first


@pytest.mark.parametrize("is_first", [True, False], ids=["none before it", "the next one"])
def test_a_model_that_comes_after_the_clock_was_set_back_is_live(folder, make_model, models, publisher, is_first):
    """Its files are older than the live pointer then, by an hour."""
    other = make_model(1)
    publisher.look()
    if is_first:
        shutil.rmtree(folder)
        publisher.look()
        assert models.pointer(LIVE) == other
    version = make_model(2)
    later(folder / "model.json", -3600)
    publisher.look()
    assert models.pointer(LIVE) == version


def test_the_same_network_measured_anew_has_a_new_card(folder, make_model, models, publisher):
    version = make_model(about={"test": {"accuracy": 0.1}})
    publisher.look()
    assert make_model(about={"test": {"accuracy": 0.2}}) == version
    publisher.look()
    assert models.card(version)["test"] == {"accuracy": 0.2}


def test_a_store_that_somebody_emptied_gets_it_again(make_model, models, place, publisher):
    version = make_model()
    publisher.look()
    for name in place.names():
        place.remove(name)
    publisher.look()
    assert models.pointer(LIVE) == version
    assert models.load(version)[1]["version"] == version


def test_a_version_that_is_damaged_in_the_store_is_mended_by_a_restart(folder, make_model, models, place, publisher):
    version = make_model()
    publisher.look()
    place.write(f"versions/{version}/weights.npz", b"damage")
    Publisher(folder, models).look()
    models.load(version)


def test_a_folder_that_goes_while_it_is_looked_at_is_looked_at_again(publisher, folder, make_model, models, monkeypatch, caplog):
    """dvc takes a stage's old result away before it runs the stage."""
    old = make_model(1)
    publisher.look()
    publish = models.publish

    def publish_and_lose(source):
        card = publish(source)
        (folder / "model.json").unlink()
        return card

    monkeypatch.setattr(models, "publish", publish_and_lose)
    new = make_model(2)
    publisher.look()
    assert (models.pointer(LIVE), said(caplog, "model_not_published")) == (old, [])
    make_model(2)
    publisher.look()
    assert models.pointer(LIVE) == new


class TestADamagedModel:
    @pytest.fixture
    def old(self, publisher, make_model, models):
        """The version that was live before."""
        version = make_model(1)
        publisher.look()
        return version

    @pytest.mark.parametrize("name", ["weights.npz", "model.json"])
    def test_the_old_one_stays_live_and_the_log_says_so_once(self, old, folder, make_model, publisher, models, caplog, name):
        make_model(2)
        (folder / name).write_bytes(b"damage")
        for _ in range(4):
            publisher.look()
        assert models.pointer(LIVE) == old
        (line,) = said(caplog, "model_not_published")
        assert str(folder / name) in line

    def test_half_a_model_is_no_news(self, old, folder, make_model, publisher, models, caplog):
        """A look between the two files of a model that is being written."""
        card = (folder / "model.json").read_bytes()
        version = make_model(2)
        whole = (folder / "model.json").read_bytes()
        checkpoint.write_atomically(folder / "model.json", card)
        publisher.look()
        checkpoint.write_atomically(folder / "model.json", whole)
        publisher.look()
        assert models.pointer(LIVE) == version
        assert said(caplog, "model_not_published") == []

    def test_a_good_one_is_taken_after_it(self, old, folder, make_model, publisher, models):
        (folder / "weights.npz").write_bytes(b"damage")
        publisher.look()
        publisher.look()
        version = make_model(2)
        publisher.look()
        assert models.pointer(LIVE) == version


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
def test_a_clock_that_is_not_the_store_s_changes_nothing(folder, make_model, s3_place, monkeypatch, wrong_by):
    """The files are dated by a trainer's clock that is wrong, the pointer by the object store's, and by an operator's."""
    models, clock = s3_place.models, time.time
    monkeypatch.setattr("stores.s3_bucket.time.time", lambda: clock() + wrong_by)
    first = make_model(1)
    models.promote(models.publish(folder)["version"])
    make_model(2)
    later(folder / "model.json", wrong_by - 5)
    Publisher(folder, models).look()
    assert models.pointer(LIVE) == first
    third = make_model(3)
    later(folder / "model.json", wrong_by + 5)
    Publisher(folder, models).look()
    assert models.pointer(LIVE) == third


def test_a_store_that_cannot_be_written_is_tried_again(folder, make_model, folder_place, caplog):
    models = folder_place.models
    publisher = Publisher(folder, models)
    version = make_model()
    models.folder.write_text("in the way")
    for _ in range(3):
        publisher.look()
    (line,) = said(caplog, "model_not_published")
    assert str(models.folder) in line
    models.folder.unlink()
    publisher.look()
    assert models.pointer(LIVE) == version


class TestACandidate:
    @pytest.fixture
    def live(self, make_model, models, publisher):
        """What was released before there is a candidate."""
        version = make_model(1)
        publisher.look()
        time.sleep(0.01)
        return version

    @pytest.fixture
    def candidate_folder(self, tmp_path):
        return tmp_path / "artifacts" / "candidate"

    @pytest.fixture
    def candidate(self, live, save_model, candidate_folder):
        return save_model(candidate_folder, 2)["version"]

    @pytest.fixture
    def look(self, tmp_path, models):
        """look(): what a trainer does at start, and each second after that."""
        following = publishers(tmp_path / "artifacts", models)

        def look():
            for each in following:
                each.look()

        return look

    @pytest.fixture
    def say(self, tmp_path):
        """say(version, passed): what test leaves."""

        def say(version, passed):
            time.sleep(0.01)
            content = json.dumps({"version": version, "passed": passed, "problems": []})
            checkpoint.write_atomically(tmp_path / "artifacts" / "test_result.json", content.encode())

        return say

    def test_it_is_published_beside_what_is_live(self, look, live, candidate, models):
        look()
        assert (models.pointer(LIVE), models.pointer(CANDIDATE)) == (live, candidate)
        models.load(candidate)

    def test_once_it_is_released_it_is_live_and_no_candidate(self, look, live, candidate, models, make_model, say):
        look()
        say(candidate, passed=True)
        look()
        assert (models.pointer(LIVE), models.pointer(CANDIDATE)) == (live, candidate)
        assert make_model(2) == candidate
        look()
        assert (models.pointer(LIVE), models.pointer(CANDIDATE)) == (candidate, None)
        assert models.rollback() == live

    def test_a_restart_does_not_put_up_again_what_was_released(self, look, candidate, models, make_model, tmp_path):
        look()
        make_model(2)
        look()
        for each in publishers(tmp_path / "artifacts", models):
            each.look()
        assert models.pointer(CANDIDATE) is None

    def test_one_that_was_refused_is_no_candidate_any_more(self, look, live, candidate, models, say, caplog):
        look()
        say(candidate, passed=False)
        look()
        assert (models.pointer(LIVE), models.pointer(CANDIDATE)) == (live, None)
        (line,) = said(caplog, "candidate_refused")
        assert f"version={candidate} " in line

    def test_one_that_was_refused_before_a_restart_is_not_put_up(self, look, candidate, models, say):
        say(candidate, passed=False)
        look()
        assert models.pointer(CANDIDATE) is None

    def test_one_that_is_to_be_tested_again_is_put_up_again(self, look, candidate, models, say, tmp_path):
        look()
        say(candidate, passed=False)
        look()
        (tmp_path / "artifacts" / "test_result.json").unlink()
        look()
        assert models.pointer(CANDIDATE) == candidate

    def test_whoever_puts_it_up_by_hand_after_that_has_it(self, look, candidate, models, say, tmp_path):
        look()
        say(candidate, passed=False)
        look()
        time.sleep(0.01)
        models.point(CANDIDATE, candidate)
        for each in publishers(tmp_path / "artifacts", models):
            each.look()
        assert models.pointer(CANDIDATE) == candidate

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1}', "null"])
    def test_a_result_that_cannot_be_read_refuses_nothing(self, look, candidate, models, tmp_path, content):
        (tmp_path / "artifacts" / "test_result.json").write_text(content)
        look()
        assert models.pointer(CANDIDATE) == candidate

    @pytest.mark.parametrize("name", ["test_result.json", "model/weights.npz", "candidate/model.json"])
    def test_a_pipe_does_not_hold_the_trainer_up(self, look, live, candidate, tmp_path, models, name):
        (tmp_path / "artifacts" / name).unlink(missing_ok=True)
        os.mkfifo(tmp_path / "artifacts" / name)
        with within():
            look()
            look()
        assert models.pointer(LIVE) == live

    def test_another_version_s_refusal_is_not_its_own(self, look, live, candidate, models, say):
        say(live, passed=False)
        look()
        assert models.pointer(CANDIDATE) == candidate

    def test_a_damaged_one_leaves_both_as_they_were(self, look, live, candidate, models, candidate_folder, caplog):
        (candidate_folder / "weights.npz").write_bytes(b"damage")
        for _ in range(3):
            look()
        assert (models.pointer(LIVE), models.pointer(CANDIDATE)) == (live, None)
        (line,) = said(caplog, "model_not_published")
        assert str(candidate_folder) in line
