"""Preprocess normalizes every digit into three splits without overlap."""

import numpy as np
import pytest
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_bytes
from stores.prediction_log import Feedback
from trainer.data.digits import SPLITS, load_splits
from trainer.data.fetch import FetchError
from trainer.data.idx import TEST_LABELS
from trainer.data.preprocess import preprocess
from trainer.feedback.decisions import Decisions
from trainer.settings import PreprocessSettings

DRAWN = np.full((28, 28), 200, np.uint8)
IMAGES = np.zeros((150, 28, 28), np.uint8)
IMAGES[:, 2:22, 4:24] = np.random.default_rng(0).integers(0, 256, (150, 20, 20))  # off center, so that normalization moves them
LABELS = (np.arange(150) % 10).astype(np.uint8)


@pytest.fixture(scope="module")
def project(write_mnist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    write_mnist(folder, IMAGES, LABELS, 100)
    return folder


@pytest.fixture(scope="module")
def preprocessed(project):
    """preprocessed(folder): run preprocess with the folder's decisions and return its file."""

    def preprocessed(folder):
        settings = PreprocessSettings(validation_size=30, seed=1)
        file = folder / "data" / "digits.npz"
        preprocess(settings, project / "mnist", project / "mnist.dvc", Decisions(folder), file)
        return file

    return preprocessed


@pytest.fixture(scope="module")
def digits(preprocessed, tmp_path_factory):
    return preprocessed(tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def splits(digits):
    return load_splits(digits)


def test_training_and_validation_contain_each_training_digit_once(splits):
    assert [len(splits[split]) for split in SPLITS] == [70, 30, 50]
    expected = {in_bytes(image_from_pixels(image)).tobytes(): label for image, label in zip(IMAGES[:100], LABELS)}
    found = [pair for split in SPLITS[:2] for pair in zip(map(bytes, splits[split].images), splits[split].labels)]
    assert len(found) == len(expected) == 100
    assert dict(found) == expected


def test_test_digits_keep_their_order_and_the_service_s_normalization(splits):
    assert splits["test"].labels.tolist() == LABELS[100:].tolist()
    for image, digit in zip(splits["test"].images, IMAGES[100:], strict=True):
        np.testing.assert_array_equal(image / np.float32(255), image_from_pixels(digit))


def test_is_deterministic_and_ignores_rejected_feedback(digits, preprocessed, tmp_path):
    Decisions(tmp_path).reject([feedback(1, 4, DRAWN)])
    assert preprocessed(tmp_path).read_bytes() == digits.read_bytes()


def feedback(number, actual, image):
    return Feedback(f"{number:08x}", 1e9, None, 5, actual, None, image.tobytes(), None)


def test_adds_accepted_drawings_only_to_training(splits, preprocessed, tmp_path):
    """Accepted copies of held-out digits are left out."""
    held_out = [feedback(number, 3, splits[split].images[0]) for number, split in enumerate(SPLITS[1:])]
    Decisions(tmp_path).accept([*held_out, feedback(7, 4, DRAWN), feedback(8, None, DRAWN + 1)])
    after = load_splits(preprocessed(tmp_path))
    assert after["training"].labels.tolist() == [*splits["training"].labels.tolist(), 4, 10]
    np.testing.assert_array_equal(after["training"].images, [*splits["training"].images, DRAWN, DRAWN + 1])
    for split in SPLITS[1:]:
        assert after[split].digest() == splits[split].digest()


def test_rejects_data_that_is_not_pinned(write_mnist, tmp_path, monkeypatch):
    monkeypatch.setattr("trainer.data.fetch.default_sources", lambda *_: {})
    write_mnist(tmp_path, IMAGES, LABELS, 100)
    (tmp_path / "mnist" / TEST_LABELS).write_bytes(b"changed")
    settings = PreprocessSettings(validation_size=30, seed=1)
    with pytest.raises(FetchError):
        preprocess(settings, tmp_path / "mnist", tmp_path / "mnist.dvc", Decisions(tmp_path), tmp_path / "d.npz")
    assert not (tmp_path / "d.npz").exists()
