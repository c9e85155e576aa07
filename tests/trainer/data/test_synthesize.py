"""Synthesize makes labeled images in three splits, the same bytes for the same settings."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from digitnet.checkpoint import npz_arrays
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import PEN_RADIUS, image_from_strokes
from digitnet.network import NO_DIGIT
from polling import eventually
from trainer.data import synthesize as module
from trainer.data.digits import SPLITS, load_drawings, load_splits
from trainer.data.pool import map_in_processes
from trainer.data.strokes import Forms
from trainer.data.synthesize import PAGE, synthesize
from trainer.settings import SynthesizeSettings

SETTINGS = SynthesizeSettings(digits=210, non_digits=65, held_out_digits=40, held_out_non_digits=25, seed=1)


@pytest.fixture(autouse=True, scope="module")
def in_this_process():
    """Avoid processes, which start more slowly than this data takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "map_in_processes", lambda function, jobs: list(map(function, jobs)))
        yield


@pytest.fixture(scope="module")
def file(in_this_process, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "written.npz"
    synthesize(SETTINGS, path)
    return path


@pytest.fixture(scope="module")
def arrays(file):
    return npz_arrays(file.read_bytes())


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_has_the_requested_digits_in_their_forms(arrays, split):
    labels, images = arrays[f"{split}_labels"], arrays[f"{split}_pictures"]
    digits, non_digits = SETTINGS.sizes(split)
    assert images.shape == (digits + non_digits, 28, 28)
    assert images.dtype == labels.dtype == np.uint8
    assert (labels[:digits] == np.arange(digits) % 10).all()
    assert (labels[digits:] == NO_DIGIT).all()
    forms = {form.name: form for form in Forms().forms}
    for name, label in zip(arrays["form_names"][arrays[f"{split}_forms"]], labels, strict=True):
        if label == NO_DIGIT:
            assert name not in forms or (forms[name].kind != "digits" and forms[name].like is None)
        else:
            assert (forms[name].kind, forms[name].what) == ("digits", str(label))
    for image in images:  # normalized for the network
        assert image.max() == 255
        rows, columns = image.any(axis=1).nonzero()[0], image.any(axis=0).nonzero()[0]
        assert max(np.ptp(rows), np.ptp(columns)) == 19  # the longer side has 20 pixels


def test_only_training_has_other_pens(tmp_path, monkeypatch):
    pens = []  # of each image; the training split comes first
    monkeypatch.setattr(module, "image_from_strokes", lambda _, pen_radius: pens.append(pen_radius) or np.ones((28, 28)))
    synthesize(SETTINGS, tmp_path / "written.npz")
    training = sum(SETTINGS.sizes("training"))
    assert len(set(pens[:training])) > 1
    assert set(pens[training:]) == {PEN_RADIUS}


def test_splits_share_no_image(file, arrays):
    images = [image.tobytes() for split in SPLITS for image in arrays[f"{split}_pictures"]]
    assert len(set(images)) == len(images)
    assert [len(load_splits(file)[split]) for split in SPLITS] == [275, 65, 65]


def test_stores_the_drawings_of_the_test_images(file):
    drawings, labels = load_drawings(file)
    test = load_splits(file)["test"]
    np.testing.assert_array_equal(labels, test.labels)
    for drawing, image in zip(drawings, test.images, strict=True):
        np.testing.assert_array_equal(in_bytes(image_from_strokes(drawing)), image)


def test_two_processes_give_the_same_bytes(file, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "map_in_processes", map_in_processes)
    synthesize(SETTINGS, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_a_larger_set_starts_with_the_smaller_one(arrays, tmp_path):
    """A larger set only adds images. Zero non-digits are valid."""

    def written(**changes):
        changes = {"non_digits": 0, "held_out_digits": 10, "held_out_non_digits": 0} | changes
        synthesize(SETTINGS.model_copy(update=changes), tmp_path / "other.npz")
        return npz_arrays((tmp_path / "other.npz").read_bytes())

    more, others = written(digits=SETTINGS.digits + PAGE), written(seed=2)
    first = arrays["training_pictures"][: SETTINGS.digits]
    np.testing.assert_array_equal(more["training_pictures"][: SETTINGS.digits], first)
    assert (others["training_pictures"] != first).any(axis=(1, 2)).mean() > 0.99
    assert others["training_labels"].tolist() == [*range(10)] * 21
    assert others["test_pictures"].shape == (10, 28, 28)


# `python -m trainer synthesize` with one page per job.
SYNTHESIZE = """
import sys
from trainer import __main__
from trainer.data import synthesize
synthesize.PAGES_A_JOB = 1
sys.exit(__main__.main(["synthesize"]))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_signal_stops_all_processes(number, tmp_path, params_file):
    params_file.write_text(params_file.read_text().replace("{digits: 40,", "{digits: 100000,"))
    command = [sys.executable, "-c", SYNTHESIZE]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True)
    # Two workers and multiprocessing's resource tracker ignore Ctrl-C.
    eventually(lambda: sum(members(process.pid)) >= 3, "the workers run")
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert not (tmp_path / "data").exists()
    eventually(lambda: not members(process.pid), "no process is left")


def members(group):
    """Return for each process of the group whether it ignores SIGINT."""
    listed = subprocess.run(["ps", "-A", "-o", "pgid=,ignored="], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return [bool(int(ignored, 16) & 1 << signal.SIGINT - 1) for pgid, ignored in rows if int(pgid) == group]
