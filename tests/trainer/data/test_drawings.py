"""Drawings are stored with their images."""

import numpy as np
import pytest
from digitnet.checkpoint import npz_bytes
from trainer.data.digits import drawing_arrays, load_drawings


def test_stores_an_empty_list(tmp_path):
    path = tmp_path / "none.npz"
    path.write_bytes(npz_bytes({**drawing_arrays([]), "test_labels": np.empty(0, np.uint8)}))
    drawings, labels = load_drawings(path)
    assert drawings == []
    assert labels.size == 0


def test_error_names_a_damaged_file(tmp_path):
    path = tmp_path / "synthetic.npz"
    path.write_bytes(npz_bytes({"test_labels": np.zeros(3, np.uint8)}))
    with pytest.raises(
        ValueError, match=r"synthetic\.npz is damaged, or another program wrote it: .*points.*; delete it and run dvc repro"
    ):
        load_drawings(path)
