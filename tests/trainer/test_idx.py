"""IDX files: what is written comes back, the layout is LeCun's, and a bad file is refused with words that help."""

import numpy as np
import pytest
from trainer.data.idx import IDXError, images_to_bytes, labels_to_bytes, read_images, read_labels

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
LABELS = np.array([0, 9, 5], dtype=np.uint8)
IMAGES_HEADER = bytes.fromhex("00000803 00000002 0000001c 0000001c")
LABELS_HEADER = bytes.fromhex("00000801 00000003")


def test_images_and_labels_are_the_bytes_of_lecuns_page_and_come_back(tmp_path):
    flipped = IMAGES[:, :, ::-1]
    assert images_to_bytes(flipped) == IMAGES_HEADER + bytes(flipped.ravel().tolist())
    assert labels_to_bytes(LABELS) == LABELS_HEADER + bytes([0, 9, 5])
    for read, array, content in (
        (read_images, IMAGES, images_to_bytes(IMAGES)),
        (read_labels, LABELS, labels_to_bytes(LABELS)),
    ):
        path = tmp_path / read.__name__
        path.write_bytes(content)
        for found in (read(path), read(str(path))):
            assert found.dtype == np.uint8
            np.testing.assert_array_equal(found, array)


BAD = {
    "another magic number": (read_images, LABELS_HEADER + bytes(100), "0x00000801, not 0x00000803"),
    "half a header": (read_images, IMAGES_HEADER[:10], "within its header, after 10 bytes"),
    "truncated": (read_images, IMAGES_HEADER + bytes(1567), "promises 1568 bytes and 1567 follow"),
    "trailing bytes": (read_images, IMAGES_HEADER + bytes(1570), "2 bytes follow its end"),
    "size": (read_images, bytes.fromhex("00000803 00000001 00000020 00000020") + bytes(1024), "32 x 32, not 28 x 28"),
    "absurd count": (read_images, bytes.fromhex("00000803 ffffffff ffffffff ffffffff"), "truncated"),
    "gzip": (read_images, bytes.fromhex("1f8b0800 00000000"), "still compressed by gzip"),
    "images for labels": (read_labels, IMAGES_HEADER + bytes(1568), "0x00000803, not 0x00000801"),
    "no digit": (read_labels, LABELS_HEADER + bytes([1, 10, 2]), "label number 1 is 10"),
}


@pytest.mark.parametrize(("read", "content", "words"), BAD.values(), ids=BAD.keys())
def test_refuses_a_bad_file(tmp_path, read, content, words):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(IDXError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert "Delete it and run `make data`" in str(caught.value)


def test_says_how_to_get_a_missing_file_and_refuses_a_folder(tmp_path):
    with pytest.raises(IDXError, match=r"absent is not there. Run `make data`"):
        read_images(tmp_path / "absent")
    with pytest.raises(IDXError, match="cannot be read"):
        read_labels(tmp_path)


def test_writes_no_arrays_that_are_no_images_or_no_labels():
    for images in (IMAGES.astype(np.float32), IMAGES[0], IMAGES[:, :27]):
        with pytest.raises(IDXError, match=r"must be uint8 \(n, 28, 28\)"):
            images_to_bytes(images)
    for labels in (LABELS.astype(np.int64), LABELS[None], np.array([10], dtype=np.uint8)):
        with pytest.raises(IDXError, match="labels must be"):
            labels_to_bytes(labels)
