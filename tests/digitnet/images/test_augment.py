import numpy as np
import pytest
from digitnet.images.augment import Augmentation
from digitnet.images.inking import with_pen_width
from digitnet.images.normalize import in_unit_range

EVERYTHING = Augmentation(
    rotation=10.0,
    shear=0.2,
    scale=0.1,
    aspect=0.1,
    shift=2.0,
    elastic=4.0,
    thicker=1.5,
    thinner=0.5,
    uneven=1.0,
    blots=2.0,
    gaps=0.8,
    softness=0.5,
    gain=0.2,
)


def bars(batch):
    """Return vertical bars of 5 x 16 pixels with a gray edge: uint8 (batch, 28, 28)."""
    images = np.zeros((batch, 28, 28), np.uint8)
    images[:, 6:23, 12:17] = 120
    images[:, 6:23, 13:16] = 220
    return images


def ink_moments(images):
    """Return ink (batch,), centers of mass (batch, 2) and second moments about them (batch, 2, 2); y before x."""
    ink = images.sum(axis=(1, 2), dtype=np.float64)
    places = np.indices((28, 28)).reshape(2, -1)
    weights = images.reshape(len(images), -1).astype(np.float64) / ink[:, None]
    centers = weights @ places.T
    away = places - centers[:, :, None]
    return ink, centers, np.einsum("bp,byp,bxp->byx", weights, away, away)


def changed_bars(batch=200, **strengths):
    return Augmentation(**strengths).augmented(bars(batch), np.random.default_rng(11))


def test_zero_strengths_keep_the_image(generator):
    images = generator.integers(0, 256, (70, 28, 28), np.uint8)
    result = Augmentation().augmented(images, generator)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, in_unit_range(images))


def test_rotation_fills_its_range_both_ways():
    _, _, second = ink_moments(changed_bars(rotation=20.0))
    angles = np.degrees(0.5 * np.arctan2(2.0 * second[:, 0, 1], second[:, 0, 0] - second[:, 1, 1]))
    assert -20.2 < angles.min() < -18.0
    assert 18.0 < angles.max() < 20.2


def test_shear_fills_its_range_both_ways():
    _, _, second = ink_moments(changed_bars(shear=0.3))
    leaning = -second[:, 0, 1] / second[:, 0, 0]  # pixels to the right per pixel up
    assert -0.305 < leaning.min() < -0.28
    assert 0.28 < leaning.max() < 0.305


def test_scale_changes_the_size_and_keeps_the_shape():
    ink, centers, second = ink_moments(changed_bars(scale=0.25))
    area = ink / ink_moments(in_unit_range(bars(1)))[0]
    assert 1 / 1.25**2 - 0.03 < area.min() < 0.7
    assert 1.5 < area.max() < 1.25**2 + 0.03
    heights = np.sqrt(second[:, 0, 0] / ink_moments(bars(1))[2][0, 0, 0])
    np.testing.assert_allclose(heights, np.sqrt(area), atol=0.03)
    np.testing.assert_allclose(centers, 14.0, atol=0.03)


def test_aspect_trades_height_for_width():
    ink, _, second = ink_moments(changed_bars(aspect=0.25))
    np.testing.assert_allclose(ink / ink_moments(in_unit_range(bars(1)))[0], 1.0, atol=0.03)
    heights = second[:, 0, 0] / ink_moments(bars(1))[2][0, 0, 0]  # squared
    assert 1 / 1.25 - 0.02 < heights.min() < 0.83
    assert 1.2 < heights.max() < 1.25 + 0.02


def test_shift_fills_its_range_in_every_direction():
    ink, centers, _ = ink_moments(changed_bars(shift=3.0))
    np.testing.assert_allclose(centers.max(axis=0), 17.0, atol=0.1)
    np.testing.assert_allclose(centers.min(axis=0), 11.0, atol=0.1)
    assert abs(np.corrcoef(centers.T)[0, 1]) < 0.2
    np.testing.assert_allclose(ink, ink[0], rtol=1e-4)


def test_elastic_displacements_have_the_given_size():
    """On an even ramp of ink, a displacement is a difference in ink."""
    ramp = np.broadcast_to(np.arange(28, dtype=np.uint8) * 9, (200, 28, 28))
    result = Augmentation(elastic=4.0).augmented(ramp, np.random.default_rng(3))
    displacement = (result * 255.0 - ramp)[:, 5:-5, 5:-5] / 9.0
    assert np.abs(displacement).max() <= 4.0
    assert 0.25 < np.sqrt(np.mean(displacement**2)) / 4.0 < 0.31
    assert abs(displacement.mean()) < 0.1


def test_gain_scales_the_ink_up_to_full_ink():
    before, after = in_unit_range(bars(200)), changed_bars(gain=0.5)
    factors = after[:, 10, 12] / before[:, 10, 12]
    assert 1 / 1.5 <= factors.min() < 0.7
    assert 1.45 < factors.max() <= 1.5001
    np.testing.assert_allclose(after, np.minimum(before * factors[:, None, None], 1.0), atol=1e-5)
    assert (after.max(axis=(1, 2)) == 1.0).any()


def test_softness_changes_the_slope_of_edges_and_keeps_the_ink():
    edge = np.full((300, 28, 28), 51, np.uint8)
    edge[:, :, 14:] = 153
    after = Augmentation(softness=0.5).augmented(edge, np.random.default_rng(8))[:, 14, 2:-2]
    slopes = (after[:, 12] - after[:, 11]) / 0.4  # a full blur halves the slope; half a blur leaves 0.75
    assert 0.749 < slopes.min() < 0.77
    assert 1.23 < slopes.max() < 1.251
    np.testing.assert_allclose(after.sum(axis=1), 24 * 0.4, rtol=1e-5)


def test_uneven_width_varies_along_a_stroke():
    widths = changed_bars(uneven=2.0)[:, 8:21].sum(axis=2)
    assert np.ptp(widths, axis=1).max() > 1.0
    assert abs(widths.mean() - in_unit_range(bars(1))[0, 8].sum()) < 0.1


def test_blots_add_a_disk_to_half_of_the_images():
    added = changed_bars(blots=2.0) - in_unit_range(bars(200))
    assert added.min() == 0.0
    ink = added.sum(axis=(1, 2))
    assert 0.3 < (ink > 0.0).mean() < 0.7
    assert 8.0 < ink.max() < np.pi * 2.5**2


def test_gaps_take_a_share_of_the_ink_from_some_pixels():
    before = in_unit_range(bars(200))
    kept = changed_bars(gaps=0.8)[before > 0.0].reshape(200, -1) / before[0][before[0] > 0.0]
    lost = 1.0 - kept
    assert 0.7 < lost.max() < 0.8
    for image in lost:  # the same share wherever there is a gap
        np.testing.assert_allclose(image[image > 1e-6], image.max(), atol=1e-6)
    gaps = (lost > 1e-6).mean(axis=1)
    assert gaps.min() < 0.05
    assert 0.1 < gaps.mean() < 0.4


@pytest.mark.parametrize(
    ("change", "tenths"),
    [
        (0.0, [0, 0, 0, 8, 8, 8, 0, 0, 0]),
        (0.5, [0, 0, 4, 8, 8, 8, 4, 0, 0]),
        (1.0, [0, 0, 8, 8, 8, 8, 8, 0, 0]),
        (3.0, [8, 8, 8, 8, 8, 8, 8, 8, 8]),
        (-0.5, [0, 0, 0, 4, 8, 4, 0, 0, 0]),
        (-1.0, [0, 0, 0, 0, 8, 0, 0, 0, 0]),
    ],
)
def test_pen_width_grows_and_shrinks_by_fractions_of_pixels(change, tenths):
    stroke, expected = np.zeros((2, 1, 28, 28), np.float32)
    stroke[:, :, 12:15], expected[:, :, 9:18] = 0.8, np.array(tenths) / 10
    np.testing.assert_allclose(with_pen_width(stroke, np.full((1, 1, 1), change, np.float32)), expected, atol=1e-6)


def test_pen_width_fills_its_range():
    before = in_unit_range(bars(200))
    for strengths, most in (({"thicker": 1.5}, 1.5), ({"thinner": 0.5}, -0.5)):
        changes = changed_bars(**strengths).sum(axis=(1, 2)) - before.sum(axis=(1, 2))
        furthest = with_pen_width(before, np.full((200, 1, 1), most, np.float32)).sum(axis=(1, 2))[0] - before[0].sum()
        assert 0.95 < (changes / furthest).max() <= 1.0001
        assert -0.0001 <= (changes / furthest).min() < 0.05


def test_a_wider_pen_takes_ink_from_no_pixel(generator):
    images = np.repeat(generator.random((1, 28, 28), np.float32), 81, axis=0)
    result = with_pen_width(images, np.linspace(-1.0, 3.0, 81).astype(np.float32)[:, None, None])
    assert np.diff(result, axis=0).min() > -1e-6
    assert (np.diff(result.sum(axis=(1, 2))) > 0.0).all()
    assert 0.0 <= result.min() <= result.max() <= 1.0 + 1e-6


@pytest.mark.parametrize("factor", [1.0, 5.0])
def test_images_stay_in_range(factor, generator):
    strengths = {name: factor * strength for name, strength in vars(EVERYTHING).items()}
    result = Augmentation(**strengths).augmented(generator.integers(0, 256, (40, 28, 28), np.uint8), generator)
    assert ((result >= 0.0) & (result <= 1.0)).all()


@pytest.mark.parametrize("rows", [slice(0, 0), slice(5, 33), slice(31, 65), slice(69, None)])
def test_a_slice_of_rows_equals_the_whole_batch_bit_for_bit(generator, rows):
    images = generator.integers(0, 256, (70, 28, 28), np.uint8)
    images.flags.writeable = False  # the input must stay unchanged
    whole = EVERYTHING.augmented(images, np.random.default_rng(9))
    used = np.random.default_rng(9)
    some = EVERYTHING.augmented(images, used, rows)
    np.testing.assert_array_equal(some[rows], whole[rows])
    some[rows] = 0.0
    assert not some.any()
    after = np.random.default_rng(9)
    EVERYTHING.augmented(images, after)
    assert used.random() == after.random()


@pytest.mark.parametrize("name", vars(EVERYTHING))
def test_rejects_negative_and_non_numeric_strengths(name):
    for wrong in (-0.1, float("nan"), float("inf"), "2", None, True):
        with pytest.raises(ValueError, match=f"^{name} must be a number from 0 up"):
            Augmentation(**{name: wrong})
