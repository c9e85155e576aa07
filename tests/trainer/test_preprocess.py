"""Preprocess: every digit of a small MNIST of our own, through digitnet.drawing, into three splits that do not overlap."""

import hashlib

import numpy as np
import pytest
from digitnet.drawing import picture_from_pixels
from stores.journal import Feedback
from trainer.decisions import Decisions
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
    preprocess(SETTINGS, folder, pins, Decisions(tmp_path / "feedback"), tmp_path / "data" / "digits.npz")
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
    preprocess(SETTINGS, folder, pins, Decisions(tmp_path / "feedback"), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == digits.read_bytes()


def feedback(number, actual, picture):
    return Feedback(f"{number:08x}", 1e9, None, 5, actual, None, picture.tobytes(), None)


class TestAcceptedDrawings:
    DRAWN = np.full((28, 28), 200, np.uint8)

    @pytest.fixture
    def with_feedback(self, mnist, tmp_path, digits):
        """with_feedback(feedback): the splits once it was accepted, and those before."""
        folder, pins, _ = mnist

        def with_feedback(*accepted):
            decisions = Decisions(tmp_path / "decided")
            decisions.accept(accepted)
            preprocess(SETTINGS, folder, pins, decisions, tmp_path / "more.npz")
            return load_splits(tmp_path / "more.npz"), load_splits(digits)

        return with_feedback

    def test_they_are_learnt_from_and_not_measured_on(self, with_feedback):
        splits, before = with_feedback(feedback(1, 4, self.DRAWN), feedback(2, None, self.DRAWN + 1))
        assert splits["training"].labels.tolist() == [*before["training"].labels.tolist(), 4, 10]
        np.testing.assert_array_equal(splits["training"].pictures[-2:], [self.DRAWN, self.DRAWN + 1])
        np.testing.assert_array_equal(splits["training"].pictures[:-2], before["training"].pictures)
        for split in ("validation", "test"):
            assert splits[split].digest() == before[split].digest()

    def test_a_digit_that_is_held_out_is_not_learnt_from_whoever_sent_it(self, with_feedback, digits):
        held_out = [load_splits(digits)[split].pictures[0] for split in ("validation", "test")]
        splits, before = with_feedback(*(feedback(number, 3, picture) for number, picture in enumerate(held_out)))
        assert splits["training"].digest() == before["training"].digest()

    def test_rejected_ones_change_nothing(self, mnist, tmp_path, digits):
        folder, pins, _ = mnist
        decisions = Decisions(tmp_path / "decided")
        decisions.reject([feedback(1, 4, self.DRAWN)])
        preprocess(SETTINGS, folder, pins, decisions, tmp_path / "again.npz")
        assert (tmp_path / "again.npz").read_bytes() == digits.read_bytes()


def test_data_other_than_pinned_is_not_used(mnist, tmp_path, monkeypatch):
    folder, pins, _ = mnist
    (folder / TEST_LABELS).write_bytes(b"changed")
    monkeypatch.setattr("trainer.fetch.default_sources", lambda *_: [])
    with pytest.raises(FetchError):
        preprocess(SETTINGS, folder, pins, Decisions(tmp_path), tmp_path / "digits.npz")
    assert not (tmp_path / "digits.npz").exists()
