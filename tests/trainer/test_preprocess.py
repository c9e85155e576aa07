"""Preprocess: every digit of a small MNIST of our own, through digitnet.drawing, into three splits that do not overlap."""

import hashlib

import numpy as np
import pytest
from digitnet.drawing import picture_from_pixels
from trainer.digits import SPLITS, load_splits
from trainer.fetch import FetchError
from trainer.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, images_to_bytes, labels_to_bytes
from trainer.preprocess import preprocess
from trainer.settings import PreprocessSettings

SETTINGS = PreprocessSettings(validation_size=30, seed=1)


@pytest.fixture
def mnist(tmp_path):
    """A folder of IDX files and the mnist.dvc that pins them."""
    generator = np.random.default_rng(0)
    images = np.zeros((150, 28, 28), np.uint8)
    images[:, 2:22, 4:24] = generator.integers(0, 256, (150, 20, 20))  # off the centre: normalising moves them
    labels = (np.arange(150) % 10).astype(np.uint8)
    contents = {
        TRAIN_IMAGES: images_to_bytes(images[:100]),
        TRAIN_LABELS: labels_to_bytes(labels[:100]),
        TEST_IMAGES: images_to_bytes(images[100:]),
        TEST_LABELS: labels_to_bytes(labels[100:]),
    }
    folder = tmp_path / "mnist"
    folder.mkdir()
    pins = ["meta:", "  files:"]
    for name, content in contents.items():
        (folder / name).write_bytes(content)
        pins.append(f"    {name}: {hashlib.md5(content).hexdigest()}")
    (tmp_path / "mnist.dvc").write_text("\n".join(pins))
    return folder, tmp_path / "mnist.dvc", images


@pytest.fixture
def digits(mnist, tmp_path):
    folder, pins, _ = mnist
    preprocess(SETTINGS, folder, pins, tmp_path / "data" / "digits.npz")
    return tmp_path / "data" / "digits.npz"


def test_the_splits_have_their_sizes(digits):
    assert [len(load_splits(digits)[split]) for split in SPLITS] == [70, 30, 50]


def test_training_and_validation_are_the_training_digits_each_once(digits, mnist):
    _, _, images = mnist
    both = np.concatenate([load_splits(digits)[split].pictures for split in ("training", "validation")])
    expected = [picture_from_pixels(image) for image in images[:100]]
    assert sorted(picture.tobytes() for picture in both) == sorted(
        np.rint(picture * 255).astype(np.uint8).tobytes() for picture in expected
    )


def test_the_test_digits_stay_in_order_and_are_seen_as_the_service_sees_them(digits, mnist):
    _, _, images = mnist
    test = load_splits(digits)["test"]
    assert test.labels.tolist() == (np.arange(100, 150) % 10).tolist()
    for picture, image in zip(test.pictures, images[100:], strict=True):
        np.testing.assert_array_equal(picture / np.float32(255), picture_from_pixels(image))


def test_pictures_keep_their_labels(digits, mnist):
    _, _, images = mnist
    label_of = {
        np.rint(picture_from_pixels(image) * 255).astype(np.uint8).tobytes(): index % 10 for index, image in enumerate(images)
    }
    for part in load_splits(digits).values():
        assert [label_of[picture.tobytes()] for picture in part.pictures] == part.labels.tolist()


def test_the_same_data_and_settings_give_the_same_bytes(digits, mnist, tmp_path):
    folder, pins, _ = mnist
    preprocess(SETTINGS, folder, pins, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == digits.read_bytes()


def test_data_other_than_pinned_is_not_used(mnist, tmp_path, monkeypatch):
    folder, pins, _ = mnist
    (folder / TEST_LABELS).write_bytes(b"changed")
    monkeypatch.setattr("trainer.fetch.default_sources", lambda *_: [])
    with pytest.raises(FetchError):
        preprocess(SETTINGS, folder, pins, tmp_path / "digits.npz")
    assert not (tmp_path / "digits.npz").exists()
