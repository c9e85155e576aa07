"""IDX files have LeCun's layout, read back unchanged, and are rejected if damaged."""

import numpy as np
import pytest
from digitnet.mnist import read_images, read_labels
from trainer.data.idx import idx_bytes

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
LABELS = np.array([0, 9, 5], dtype=np.uint8)
IMAGES_HEADER = bytes.fromhex("00000803 00000002 0000001c 0000001c")
LABELS_HEADER = bytes.fromhex("00000801 00000003")


def test_writes_lecun_s_layout_and_reads_it_back(tmp_path):
    flipped = IMAGES[:, :, ::-1]
    assert idx_bytes(flipped) == IMAGES_HEADER + bytes(flipped.ravel().tolist())
    assert idx_bytes(LABELS) == LABELS_HEADER + bytes([0, 9, 5])
    for read, array in ((read_images, IMAGES), (read_labels, LABELS)):
        path = tmp_path / read.__name__
        path.write_bytes(idx_bytes(array))
        assert read(path).dtype == np.uint8
        np.testing.assert_array_equal(read(path), array)


BAD = {
    "half a header": (read_images, IMAGES_HEADER[:10]),
    "truncated": (read_images, IMAGES_HEADER + bytes(1567)),
    "trailing bytes": (read_images, IMAGES_HEADER + bytes(1570)),
    "size": (read_images, bytes.fromhex("00000803 00000001 00000020 00000020") + bytes(1024)),
    "absurd count": (read_images, bytes.fromhex("00000803 ffffffff ffffffff ffffffff")),
    "gzip": (read_images, bytes.fromhex("1f8b0800 00000000")),
    "images for labels": (read_labels, IMAGES_HEADER + bytes(1568)),
    "labels for images": (read_images, LABELS_HEADER + bytes(3)),
}


@pytest.mark.parametrize(("read", "content"), BAD.values(), ids=BAD.keys())
def test_rejects_a_bad_file(tmp_path, read, content):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte is damaged.*delete it and run `make data`"):
        read(path)
