"""Decode image files of each kind, reduce large ones, and reject bad ones."""

import io

import numpy as np
import pytest
from fastapi import HTTPException
from inference.image_files.base import MAX_PARTS
from inference.image_files.decode import BAND_PIXELS, LARGEST_SIDE, checked_image, decoded
from inference.image_files.jpeg import MAX_SCANS
from PIL import Image, ImageOps
from pngs import file_of, interlaced, png_by_hand, png_of, turned
from worst_requests import progressive

GRAY = np.random.default_rng(0).integers(0, 256, (7, 5), dtype=np.uint8)
GRAY_IMAGE = Image.fromarray(GRAY)
COLOR = np.random.default_rng(1).integers(0, 256, (7, 5, 3), dtype=np.uint8)
WITH_ALPHA = np.random.default_rng(2).integers(0, 256, (7, 5, 4), dtype=np.uint8)
TWO_COLORS = Image.fromarray(np.array([[0, 1], [1, 0]], np.uint8))
TWO_COLORS.putpalette([10, 20, 30, 200, 210, 220])
SIXTEEN_BIT_COLOR = b"".join(b"\0" + row.tobytes() for row in (COLOR * np.uint16(256) + 7).astype(">u2"))
ROWS = bytes(28 * 29)  # of a black image of 28 x 28: a filter, and 28 pixels


ANIMATION = [GRAY_IMAGE.convert("RGB"), Image.fromarray(255 - COLOR)]


def checked(content):
    return checked_image(content, "image/png")


def pixels(content):
    return decoded(checked(content)).pixels


def file_image(content):
    return Image.open(io.BytesIO(content))


def gray_16_bits(values, *chunks):
    """Return a PNG of one row."""
    scanline = b"\0" + np.array(values, ">u2").tobytes()
    return png_by_hand(len(values), 1, scanline, depth=16, more_chunks=chunks)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png_of(GRAY), GRAY),
        (png_of(COLOR), COLOR),
        (png_of(WITH_ALPHA), WITH_ALPHA),
        (png_of(Image.merge("LA", [GRAY_IMAGE, Image.fromarray(255 - GRAY)])), np.dstack([GRAY, GRAY, GRAY, 255 - GRAY])),
        (png_of(Image.fromarray(GRAY > 127)), (GRAY > 127) * np.uint8(255)),
        (gray_16_bits([0, 256, 32768, 65535]), [[0, 1, 128, 255]]),
        (gray_16_bits([0, 100, 255]), [[0, 100, 255]]),
        (gray_16_bits([0, 2048], (b"sBIT", b"\x0c")), [[0, 128]]),
        (gray_16_bits([0, 255, 4000], (b"tRNS", b"\x0f\xa0")), [[[0, 0, 0, 255], [255, 255, 255, 255], [255, 255, 255, 0]]]),
        (png_by_hand(5, 7, SIXTEEN_BIT_COLOR, depth=16, color_type=2), COLOR),
        (png_of(TWO_COLORS), [[[10, 20, 30], [200, 210, 220]], [[200, 210, 220], [10, 20, 30]]]),
        (png_of(TWO_COLORS, transparency=1), [[[10, 20, 30, 255], [200, 210, 220, 0]], [[200, 210, 220, 0], [10, 20, 30, 255]]]),
        (png_of(GRAY_IMAGE, transparency=int(GRAY[0, 0])), np.dstack([GRAY] * 3 + [255 * (GRAY[0, 0] != GRAY)])),
        (interlaced(GRAY), GRAY),
        (png_of(GRAY_IMAGE, save_all=True, append_images=[Image.fromarray(255 - GRAY)]), GRAY),
        (file_of(GRAY_IMAGE, "JPEG", quality=100), GRAY),
        (file_of(COLOR, "JPEG", quality=100, subsampling=0, progressive=True), COLOR),
        (file_of(Image.fromarray(COLOR).convert("CMYK"), "JPEG", quality=100), COLOR),
        (file_of(COLOR, "WEBP", lossless=True), COLOR),
        (file_of(np.full((7, 5, 3), 99, np.uint8), "WEBP", quality=100), np.full((7, 5, 3), 99)),
        (file_of(WITH_ALPHA, "WEBP", lossless=True, exact=True), WITH_ALPHA),
        (file_of(np.full((7, 5, 4), 99, np.uint8), "WEBP", quality=100), np.full((7, 5, 4), 99)),
        (file_of(ANIMATION[0], "WEBP", lossless=True, save_all=True, append_images=ANIMATION[1:]), np.dstack([GRAY] * 3)),
        (file_of(WITH_ALPHA, "TIFF"), WITH_ALPHA),
    ],
    ids=[
        *("gray", "color", "alpha", "gray and alpha", "one bit", "16 bits", "8 of 16 bits", "12 of 16 bits, as sBIT says"),
        *("16 bits with a transparent value", "16 bits of color", "palette", "palette with a transparent color"),
        *("one gray transparent", "interlaced", "animated", "gray JPEG", "progressive JPEG", "CMYK", "lossless WebP"),
        *("lossy WebP", "lossless WebP with alpha", "lossy WebP with alpha", "animated WebP", "TIFF"),
    ],
)
def test_decodes_to_eight_bits(content, expected):
    result = pixels(content)
    assert result.dtype == np.uint8
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, atol=0 if content[:4] == b"\x89PNG" else 6)


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("JPEG", {"quality": 100, "subsampling": 0}), ("WEBP", {"lossless": True}), ("TIFF", {})]
)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_applies_the_orientation(form, options, orientation):
    content = turned(Image.fromarray(COLOR), form, orientation, **options)
    upright = ImageOps.exif_transpose(file_image(content)).convert("RGB")
    np.testing.assert_array_equal(pixels(content), np.asarray(upright))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_looks_closer_at_a_part_of_a_reduced_image(form, orientation):
    large = np.zeros((2 * LARGEST_SIDE, 2 * LARGEST_SIDE + 200), np.uint8)
    large[64:72, 128:160] = 255
    content = turned(Image.fromarray(large), form, orientation, **({"quality": 100} if form == "JPEG" else {}))
    upright = np.asarray(ImageOps.exif_transpose(file_image(content)))
    height, width = upright.shape
    rows, columns = (np.flatnonzero((upright > 127).any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0] - 3, rows[-1] + 5, columns[0] - 2, columns[-1] + 9
    part = decoded(checked(content)).closer(left / width, top / height, right / width, bottom / height)
    np.testing.assert_allclose(part, upright[top:bottom, left:right], atol=0 if form == "PNG" else 6)


def test_nothing_is_closer_than_the_whole_file():
    assert decoded(checked(png_of(GRAY))).closer is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((LARGEST_SIDE, LARGEST_SIDE), (LARGEST_SIDE, LARGEST_SIDE)),
        ((2 * LARGEST_SIDE - 1, 10), (2 * LARGEST_SIDE - 1, 10)),
        ((2 * LARGEST_SIDE, 10), (LARGEST_SIDE, 5)),
        ((10, 3 * LARGEST_SIDE), (4, LARGEST_SIDE)),  # the rest at the edge makes one more pixel
        ((1, 7 * LARGEST_SIDE), (1, LARGEST_SIDE)),
    ],
)
def test_reduces_a_large_image_by_a_whole_factor(size, expected):
    assert pixels(png_of(np.zeros(size, np.uint8))).shape == expected


@pytest.mark.parametrize("size", [(2 * LARGEST_SIDE, 10), (1, 9 * LARGEST_SIDE), (2000, 3000)])
def test_reduces_a_large_jpeg(size):
    assert LARGEST_SIDE <= max(pixels(file_of(Image.new("L", size), "JPEG")).shape) < 2 * LARGEST_SIDE


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_reduces_a_large_image_in_bands(mode):
    side = 2 * LARGEST_SIDE
    height = BAND_PIXELS // side + 3  # two bands
    ramp = np.add.outer(np.arange(height), np.arange(side)).astype(np.uint8)
    image = Image.fromarray(ramp.astype(np.uint16) << 8) if mode == "I;16" else Image.fromarray(ramp).convert(mode)
    whole = Image.fromarray(ramp).convert({"I;16": "L", "P": "RGB", "LA": "RGBA"}.get(mode, mode)).reduce(2)
    np.testing.assert_array_equal(pixels(png_of(image)), np.asarray(whole))


@pytest.mark.parametrize("size", [(8193, 1), (1, 16_777_216), (4096, 3073), (2**31, 2**31)])
def test_rejects_more_than_twelve_megapixels_before_decoding(size):
    with pytest.raises(HTTPException, match=f"{size[0]} x {size[1]} pixels"):
        checked(png_by_hand(*size, b""))


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "TIFF"])
def test_rejects_a_long_row_of_any_format(form):
    with pytest.raises(HTTPException, match="9000 x 1 pixels"):
        checked(file_of(Image.new("L", (9000, 1)), form))


def test_removes_parts_that_do_not_affect_pixels():
    bare = png_by_hand(28, 28, ROWS)
    more = png_by_hand(28, 28, ROWS, more_chunks=[(b"tEXt", b"a\0b"), (b"iCCP", b"damaged"), (b"juNk", b""), (b"acTL", b"")])
    assert checked(more) == checked(bare)
    assert checked(bare).content == bare
    for form in ("JPEG", "WEBP", "TIFF"):
        bare = file_of(Image.fromarray(COLOR), form)
        more = file_of(Image.fromarray(COLOR), form, icc_profile=bytes(1000), **({"comment": b"a"} if form == "JPEG" else {}))
        assert len(checked(more).content) < len(more) - 900 or form == "TIFF"
        np.testing.assert_array_equal(pixels(more), pixels(bare))


def test_limits_the_number_of_parts():
    def with_chunks(count):
        return png_by_hand(28, 28, ROWS, more_chunks=[(b"juNk", b"")] * (count - 3))

    assert pixels(with_chunks(MAX_PARTS)).shape == (28, 28)
    jpeg, webp = file_of(COLOR, "JPEG"), file_of(COLOR, "WEBP")
    for content in (
        with_chunks(MAX_PARTS + 1),
        jpeg[:2] + b"\xff\xfe\0\x02" * MAX_PARTS + jpeg[2:],
        webp[:12] + b"juNk\0\0\0\0" * MAX_PARTS + webp[12:],
    ):
        with pytest.raises(HTTPException, match="4,096 parts"):
            checked(content)


def test_limits_the_scans_of_a_jpeg():
    assert pixels(progressive(40, 30, MAX_SCANS)).shape == (30, 40, 3)
    with pytest.raises(HTTPException, match=f"more than {MAX_SCANS} scans"):
        checked(progressive(40, 30, MAX_SCANS + 1))


JPEG, WEBP, TIFF = (file_of(Image.fromarray(COLOR).resize((90, 90)), form) for form in ("JPEG", "WEBP", "TIFF"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a" + bytes(40), "not a PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "its header is missing"),
        (png_by_hand(28, 28, ROWS[:100]), "the PNG is damaged: ."),
        (png_by_hand(28, 28, ROWS, color_type=5), "the PNG is damaged: ."),
        (JPEG[:700], "the JPEG is damaged: ."),
        (JPEG[:10], "the JPEG is damaged: it has no size"),
        (JPEG[:-2] + JPEG[2:], "the JPEG is damaged: ."),
        (JPEG.replace(b"\xff\xc0", b"\xff\xc9"), "the JPEG is lossless, arithmetic"),
        (WEBP[:100], "the WebP is damaged: ."),
        (WEBP[:12], "the WebP is damaged: it has no image"),
        (TIFF[:100], "the TIFF is damaged: ."),
        (file_of(COLOR, "TIFF", compression="tiff_lzw"), "the TIFF is compressed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rejects_a_damaged_file(content, words):
    with pytest.raises(HTTPException, match=words):
        pixels(content)
