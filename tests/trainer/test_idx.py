"""IDX files: what is written comes back, the layout is LeCun's, and a bad file is refused with words that help."""

import numpy as np
import pytest
from trainer.idx import IDXError, images_to_bytes, labels_to_bytes, read_images, read_labels

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
LABELS = np.array([0, 9, 5], dtype=np.uint8)
IMAGES_HEADER = bytes.fromhex("00000803 00000002 0000001c 0000001c")
LABELS_HEADER = bytes.fromhex("00000801 00000003")


def test_the_bytes_are_those_of_lecuns_page():
    assert images_to_bytes(IMAGES) == IMAGES_HEADER + bytes(IMAGES.ravel().tolist())
    assert labels_to_bytes(LABELS) == LABELS_HEADER + bytes([0, 9, 5])


def test_images_come_back(tmp_path):
    path = tmp_path / "images"
    path.write_bytes(images_to_bytes(IMAGES))
    images = read_images(path)
    assert images.dtype == np.uint8
    assert images.shape == (2, 28, 28)
    np.testing.assert_array_equal(images, IMAGES)


def test_labels_come_back(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(labels_to_bytes(LABELS))
    labels = read_labels(str(path))
    assert labels.dtype == np.uint8
    assert labels.shape == (3,)
    np.testing.assert_array_equal(labels, LABELS)


def test_an_array_that_is_a_slice_is_written_in_its_own_order():
    flipped = IMAGES[:, :, ::-1]
    assert images_to_bytes(flipped) == images_to_bytes(flipped.copy())


BAD_IMAGES = {
    "magic": (LABELS_HEADER + bytes(100), "0x00000801, not 0x00000803"),
    "empty": (b"", "within its header, after 0 bytes"),
    "header only in part": (IMAGES_HEADER[:10], "within its header, after 10 bytes"),
    "truncated": (IMAGES_HEADER + bytes(1567), "promises 1568 bytes and 1567 follow"),
    "trailing bytes": (IMAGES_HEADER + bytes(1570), "2 bytes follow its end"),
    "size": (bytes.fromhex("00000803 00000001 00000020 00000020") + bytes(1024), "32 x 32, not 28 x 28"),
    "absurd count": (bytes.fromhex("00000803 ffffffff ffffffff ffffffff"), "truncated"),
    "gzip": (bytes.fromhex("1f8b0800 00000000"), "still compressed by gzip"),
}


@pytest.mark.parametrize(("content", "words"), BAD_IMAGES.values(), ids=BAD_IMAGES.keys())
def test_a_bad_image_file_is_refused(tmp_path, content, words):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(IDXError) as caught:
        read_images(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "Delete it and run `make data`" in str(caught.value)


BAD_LABELS = {
    "magic": (IMAGES_HEADER + bytes(1568), "0x00000803, not 0x00000801"),
    "truncated": (LABELS_HEADER + bytes(2), "promises 3 bytes and 2 follow"),
    "trailing bytes": (LABELS_HEADER + bytes(4), "1 bytes follow its end"),
    "no digit": (LABELS_HEADER + bytes([1, 10, 2]), "label number 1 is 10"),
}


@pytest.mark.parametrize(("content", "words"), BAD_LABELS.values(), ids=BAD_LABELS.keys())
def test_a_bad_label_file_is_refused(tmp_path, content, words):
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(content)
    with pytest.raises(IDXError) as caught:
        read_labels(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("read", [read_images, read_labels])
def test_a_missing_file_says_how_to_get_it(tmp_path, read):
    with pytest.raises(IDXError, match=r"absent is not there. Run `make data`"):
        read(tmp_path / "absent")


@pytest.mark.parametrize("read", [read_images, read_labels])
def test_a_folder_is_no_file(tmp_path, read):
    with pytest.raises(IDXError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.parametrize("images", [IMAGES.astype(np.float32), IMAGES[0], IMAGES[:, :27]])
def test_arrays_that_are_no_images_are_not_written(images):
    with pytest.raises(IDXError, match=r"must be uint8 \(n, 28, 28\)"):
        images_to_bytes(images)


@pytest.mark.parametrize("labels", [LABELS.astype(np.int64), LABELS[None], np.array([10], dtype=np.uint8)])
def test_arrays_that_are_no_labels_are_not_written(labels):
    with pytest.raises(IDXError, match="labels must be"):
        labels_to_bytes(labels)
