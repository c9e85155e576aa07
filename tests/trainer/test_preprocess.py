"""Preprocess: every digit of a small MNIST, through digitnet.drawing, into three splits that do not overlap."""

import hashlib

import numpy as np
import pytest
from digitnet.drawing import in_bytes, picture_from_pixels
from stores.journal import Feedback
from trainer.decisions import Decisions
from trainer.digits import SPLITS, load_splits
from trainer.fetch import FetchError
from trainer.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, images_to_bytes, labels_to_bytes
from trainer.preprocess import preprocess
from trainer.settings import PreprocessSettings

DRAWN = np.full((28, 28), 200, np.uint8)
IMAGES = np.zeros((150, 28, 28), np.uint8)
IMAGES[:, 2:22, 4:24] = np.random.default_rng(0).integers(0, 256, (150, 20, 20))  # off the center: normalizing moves them
LABELS = (np.arange(150) % 10).astype(np.uint8)


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A folder of IDX files and the mnist.dvc that pins them."""
    folder, pins = tmp_path_factory.mktemp("mnist"), ["meta:", "  files:"]
    for name, content in {
        TRAIN_IMAGES: images_to_bytes(IMAGES[:100]),
        TRAIN_LABELS: labels_to_bytes(LABELS[:100]),
        TEST_IMAGES: images_to_bytes(IMAGES[100:]),
        TEST_LABELS: labels_to_bytes(LABELS[100:]),
    }.items():
        (folder / name).write_bytes(content)
        pins.append(f"    {name}: {hashlib.md5(content).hexdigest()}")
    (folder / "mnist.dvc").write_text("\n".join(pins))
    return folder


@pytest.fixture(scope="module")
def preprocessed(mnist):
    """preprocessed(folder): the file that preprocess makes with the decisions there."""

    def preprocessed(folder):
        settings = PreprocessSettings(validation_size=30, seed=1)
        preprocess(settings, mnist, mnist / "mnist.dvc", Decisions(folder), folder / "data" / "digits.npz")
        return folder / "data" / "digits.npz"

    return preprocessed


@pytest.fixture(scope="module")
def digits(preprocessed, tmp_path_factory):
    return preprocessed(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def splits(digits):
    return load_splits(digits)


def test_training_and_validation_are_the_training_digits_each_once_and_with_its_label(splits):
    assert [len(splits[split]) for split in SPLITS] == [70, 30, 50]
    expected = {in_bytes(picture_from_pixels(image)).tobytes(): label for image, label in zip(IMAGES[:100], LABELS)}
    found = [pair for split in SPLITS[:2] for pair in zip(map(bytes, splits[split].pictures), splits[split].labels)]
    assert len(found) == len(expected) == 100
    assert dict(found) == expected


def test_the_test_digits_stay_in_order_and_are_seen_as_the_service_sees_them(splits):
    assert splits["test"].labels.tolist() == LABELS[100:].tolist()
    for picture, image in zip(splits["test"].pictures, IMAGES[100:], strict=True):
        np.testing.assert_array_equal(picture / np.float32(255), picture_from_pixels(image))


def test_the_same_data_and_settings_give_the_same_bytes_whatever_was_rejected(digits, preprocessed, tmp_path):
    Decisions(tmp_path).reject([feedback(1, 4, DRAWN)])
    assert preprocessed(tmp_path).read_bytes() == digits.read_bytes()


def feedback(number, actual, picture):
    return Feedback(f"{number:08x}", 1e9, None, 5, actual, None, picture.tobytes(), None)


def test_accepted_drawings_are_learnt_from_and_not_measured_on(splits, preprocessed, tmp_path):
    """But for a digit that is held out, whoever sent it."""
    held_out = [feedback(number, 3, splits[split].pictures[0]) for number, split in enumerate(SPLITS[1:])]
    Decisions(tmp_path).accept([*held_out, feedback(7, 4, DRAWN), feedback(8, None, DRAWN + 1)])
    after = load_splits(preprocessed(tmp_path))
    assert after["training"].labels.tolist() == [*splits["training"].labels.tolist(), 4, 10]
    np.testing.assert_array_equal(after["training"].pictures, [*splits["training"].pictures, DRAWN, DRAWN + 1])
    for split in SPLITS[1:]:
        assert after[split].digest() == splits[split].digest()


def test_does_not_use_other_data_than_pinned(mnist, preprocessed, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.fetch.default_sources", lambda *_: [])
    labels = (mnist / TEST_LABELS).read_bytes()
    (mnist / TEST_LABELS).write_bytes(b"changed")
    with pytest.raises(FetchError):
        preprocessed(tmp_path)
    (mnist / TEST_LABELS).write_bytes(labels)
    assert not (tmp_path / "data").exists()
