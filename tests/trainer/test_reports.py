import io

import numpy as np
from PIL import Image
from trainer.reports import CAPTION_HEIGHT, ENLARGED, GAP, contact_sheet


def opened(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def test_places_each_image_dark_on_light():
    images = np.zeros((5, 28, 28), np.uint8)
    images[4, 10:20, 5] = 255
    sheet = opened(contact_sheet(images, ["4 as 9"] * 5, columns=4))
    cell_height, cell_width = ENLARGED * 28 + CAPTION_HEIGHT + GAP, ENLARGED * 28 + GAP
    assert sheet.shape == (2 * cell_height + GAP, 4 * cell_width + GAP)
    top, left = GAP + cell_height, GAP  # the fifth begins the second row
    inked = sheet[top : top + 56, left : left + 56]
    np.testing.assert_array_equal(inked, 255 - images[4].repeat(2, axis=0).repeat(2, axis=1))


def test_writes_captions_below_images():
    images = np.zeros((1, 28, 28), np.uint8)
    plain, captioned = (opened(contact_sheet(images, [caption])) for caption in ("", "4 as 9"))
    rows = np.flatnonzero((plain != captioned).any(axis=1))
    assert GAP + 56 <= rows.min() <= rows.max() < GAP + 56 + CAPTION_HEIGHT
    assert (opened(contact_sheet(images[:0], [])) == 255).all()
