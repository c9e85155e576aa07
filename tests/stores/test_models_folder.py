"""The model store in a folder: what only files know, and how a URL names a folder."""

import os
import time

import pytest
from bounds import within
from stores import folder_models
from stores.folder_models import FolderModels
from stores.models import LIVE, POINTERS, StoreError, open_models


@pytest.fixture
def store(folder_place):
    return folder_place.models


@pytest.fixture
def published(store, model_folder):
    return store.publish(model_folder())["version"]


def test_a_store_that_cannot_be_written_is_named(model_folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=f"the model store {tmp_path}/file/models cannot be written"):
        FolderModels(tmp_path / "file" / "models").publish(model_folder())


def test_a_version_and_a_pointer_appear_all_at_once(store, model_folder, monkeypatch):
    """Nothing is to be seen before the last step, a rename."""

    def fail(*_):
        raise OSError("power cut")

    monkeypatch.setattr(folder_models.os, "rename", fail)
    with pytest.raises(StoreError, match="cannot be written: power cut"):
        store.publish(model_folder())
    assert store.versions() == list((store.folder / "versions").iterdir()) == []
    monkeypatch.undo()
    version = store.publish(model_folder())["version"]
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StoreError, match="cannot be written: power cut"):
        store.point(LIVE, version)
    assert store.pointer(LIVE) is None


def test_what_a_killed_publisher_left_is_swept_away_but_not_what_another_is_writing(store, model_folder, published):
    left, writing = (store.folder / "versions" / f"{folder_models.UNFINISHED}{name}" for name in ("left", "writing"))
    for folder in (left, writing):
        folder.mkdir()
    an_hour_ago = time.time() - folder_models.ABANDONED_SECONDS - 1
    os.utime(left, (an_hour_ago, an_hour_ago))
    assert store.versions() == [published]
    store.publish(model_folder(1))
    assert (left.exists(), writing.exists()) == (False, True)


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(bytes(2**17))],
    ids=["a pipe", "a link to /dev/zero", "128 KiB"],
)
def test_a_pointer_that_is_no_small_file_is_refused_without_a_wait(store, published, make):
    for pointer in POINTERS:
        make(store.folder / pointer)
        with within(), pytest.raises(StoreError, match=f"^{store.folder}/{pointer} cannot be read: it "):
            store.pointer(pointer)
    assert store.versions() == [published]


def test_a_folder_can_be_named_in_several_ways(published, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for url in (f"{tmp_path}/models", f"file://{tmp_path}/models", f"file://localhost{tmp_path}/models", "models"):
        assert open_models(url).versions() == [published]
    assert str(open_models("file:///my%20models")) == "/my models"


@pytest.mark.parametrize("url", ["", "file://other-host/models", "file:", "redis://redis:6379", "S4://bucket/models"])
def test_what_names_no_store_is_refused(url):
    with pytest.raises(StoreError, match="names no model store"):
        open_models(url)
