"""Drawings kept beside their pictures, and changed as users' drawings differ."""

import numpy as np
import pytest
from digitnet.checkpoint import npz_bytes
from digitnet.images.normalize import in_unit_range
from trainer.data.canvas import SIDE, inked_canvas
from trainer.data.digits import drawing_arrays, load_drawings


def test_no_drawings_are_kept_as_none(tmp_path):
    path = tmp_path / "none.npz"
    path.write_bytes(npz_bytes({**drawing_arrays([]), "test_labels": np.empty(0, np.uint8)}))
    drawings, labels = load_drawings(path)
    assert drawings == []
    assert labels.size == 0


def test_damaged_drawings_say_which_file_it_is(tmp_path):
    path = tmp_path / "synthetic.npz"
    path.write_bytes(npz_bytes({"test_labels": np.zeros(3, np.uint8)}))
    with pytest.raises(ValueError, match=r"synthetic\.npz is damaged or foreign: .*points.*; delete it and run dvc repro"):
        load_drawings(path)


class TestCanvas:
    def test_a_line_is_as_wide_as_the_brush_and_a_click_is_a_disc(self):
        ink = in_unit_range(inked_canvas([np.array([[40.0, 140.0], [240.0, 140.0]])], brush=20.0))
        assert ink.shape == (SIDE, SIDE)
        assert ink[:, 140].sum() == pytest.approx(20.0, abs=0.1)
        assert ink[140, :].sum() == pytest.approx(200.0 + 20.0, abs=0.5)
        ink = in_unit_range(inked_canvas([np.array([[100.0, 50.0]])], brush=30.0))
        assert ink.sum() == pytest.approx(np.pi * 15.0**2, rel=0.01)
        rows, columns = ink.nonzero()
        assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((50.0, 100.0))

    def test_what_is_off_the_canvas_is_cut_and_strokes_that_cross_are_no_darker_there(self):
        inside = inked_canvas([np.array([[-20.0, 140.0], [20.0, 140.0]])])
        assert inside[140, 0] == 255
        assert not inked_canvas([np.array([[-200.0, -50.0], [-60.0, -50.0]]), np.array([[500.0, 500.0]])]).any()
        cross = inked_canvas([np.array([[100.0, 140.0], [180.0, 140.0]]), np.array([[140.0, 100.0], [140.0, 180.0]])])
        assert cross.max() == 255
