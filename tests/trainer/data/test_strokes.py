"""Synthetic handwriting varies within its limits."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from digitnet.images.strokes import PEN_RADIUS, image_from_strokes
from trainer.data import paths
from trainer.data import strokes as hand
from trainer.data.forms import KINDS
from trainer.data.strokes import CANVAS_SIDE, MARGIN, NUMBER, OTHER_PENS, PENS, SCRIBBLE, Forms

FORMS = Forms()
BY_NAME = {form.name: form for form in FORMS.forms}
BAR = BY_NAME["1 bar"]
SIZE = 140.0  # pixels, of the steady writer's forms


@pytest.fixture
def steady(monkeypatch):
    """Return a writer without variation. Each test adds one habit."""
    for name in ("SLANT", "TURN", "ASPECT", "SIZE", "PACE"):
        monkeypatch.setattr(hand, name, 0.0)
    habits = dict.fromkeys(("haste", "slant", "turn", "stretch", "tremor", "hooks", "rounding"), 0.0)
    warp = np.zeros((hand.WARP_TERMS, 2))
    return replace(FORMS.writer(np.random.default_rng(0)), **habits, size=SIZE, warp=warp, spacing=2.0)


def written(form, writer, count, seed=0):
    generator = np.random.default_rng(seed)
    return [FORMS.write(form, generator, writer) for _ in range(count)]


def length(stroke):
    """Return the stroke's length in heights of the form."""
    return paths.path_lengths(stroke)[-1] / SIZE


def lean(stroke):
    """Return a bar's lean to the right in radians."""
    x, y = stroke[0] - stroke[-1]
    return np.arctan2(x, -y)


def test_writing_covers_and_stays_on_the_canvas(steady):
    places = np.array([stroke.mean(axis=0) for (stroke,) in written(BAR, steady, 200)])
    assert (places.min(axis=0) < [30.0, 90.0]).all()
    assert (places.max(axis=0) > [250.0, 190.0]).all()
    for form in FORMS.forms:
        for strokes in written(form, None, 2, seed=2):
            assert len(strokes) == len(form.strokes)
            points = np.concatenate(strokes)
            assert points.min() >= MARGIN - 0.5, form.name
            assert points.max() <= CANVAS_SIDE - MARGIN + 0.5, form.name
            np.testing.assert_array_equal(points, np.rint(points))
            assert image_from_strokes(strokes).any(), form.name


def test_a_steady_hand_writes_the_exact_form(steady):
    for form in FORMS.forms:
        (strokes,) = written(form, steady, 1)
        expected = [stroke.curve @ stroke.points for stroke in form.strokes]
        corner = np.concatenate(expected).min(axis=0)
        shift = np.concatenate(strokes).min(axis=0)
        size = min(SIZE, (CANVAS_SIDE - 2 * MARGIN) / np.ptp(np.concatenate(expected), axis=0).max())
        for stroke, path in zip(strokes, expected, strict=True):
            path = paths.evenly((path - corner) * size / 100.0) * 100.0 + shift  # denser than the file's curve
            assert np.hypot(*(stroke[:, None] - path).transpose(2, 0, 1)).min(axis=1).max() < 4.0, form.name


def test_prefers_common_forms_and_keeps_a_writer_s_habits():
    """Two threes by one writer share a form more often than by two writers."""
    generator = np.random.default_rng(0)
    counts = Counter(FORMS.digit(1, generator)[1] for _ in range(400))
    assert counts.most_common(1)[0][0] == "1 bar"
    assert set(counts) == {form.name for form in FORMS.forms if form.kind == "digits" and form.what == "1"}
    writers = [FORMS.writer(generator) for _ in range(600)]
    first, second = (np.array([FORMS.digit(3, generator, writer)[1] for writer in writers]) for _ in range(2))
    by_two = np.mean([(first == np.roll(second, turn)).mean() for turn in range(1, 600)])
    assert np.mean(first == second) > by_two + 0.03
    leans = [[lean(FORMS.write(BAR, generator, writer)[0]) for _ in range(10)] for writer in writers[:40]]
    assert np.std(np.mean(leans, axis=1)) > 1.3 * np.mean(np.std(leans, axis=1))


def test_habits_fill_their_ranges_and_most_pens_are_mnist_s():
    generator = np.random.default_rng(0)
    writers = [FORMS.writer(generator) for _ in range(1000)]
    for name, low, high in (
        ("haste", *hand.HASTE_RANGE),
        ("tremor", 0.0, hand.TREMOR_LIMIT),
        ("hooks", 0.0, hand.HOOK_PROBABILITY),
        ("rounding", *hand.ROUNDING),
        ("spacing", *hand.SPACING_RANGE),
    ):
        values = np.array([getattr(writer, name) for writer in writers])
        assert low <= values.min() < values.max() <= high
        assert np.ptp(values) > 0.7 * (high - low)  # they fill the range
    pens = np.array([writer.pen for writer in writers])
    others = pens[pens != PEN_RADIUS]
    assert len(others) / len(pens) == pytest.approx(OTHER_PENS, abs=0.04)
    assert PENS[0] <= others.min() < 0.6
    assert 3.0 < others.max() <= PENS[1]


def test_slant_stretch_and_size_are_limited(steady):
    for habit, beyond, limit in (
        ("slant", 9.0, np.arctan(hand.SLANT_RANGE[1])),
        ("slant", -9.0, np.arctan(hand.SLANT_RANGE[0])),
        ("turn", 9.0, hand.TURN_LIMIT),
        ("turn", -9.0, -hand.TURN_LIMIT),
    ):
        ((stroke,),) = written(BAR, replace(steady, **{habit: beyond}), 1)
        assert lean(stroke) == pytest.approx(limit + 0.02, abs=0.02)  # the form itself leans by 0.02

    def extent(**habits):
        ((stroke,),) = written(BY_NAME["0 closed"], replace(steady, **habits), 1)
        return np.ptp(stroke, axis=0)

    assert extent(stretch=-9.0)[0] / extent()[0] == pytest.approx(hand.ASPECT_RANGE[0], abs=0.03)
    assert extent(stretch=9.0)[0] / extent()[0] == pytest.approx(hand.ASPECT_RANGE[1], abs=0.03)
    assert extent(size=1.0)[1] == pytest.approx(hand.SIZE_RANGE[0], abs=2.0)
    assert extent(size=9999.0)[1] == pytest.approx(CANVAS_SIDE - 2 * MARGIN, abs=2.0)


def test_overshoot_and_hooks_are_limited(steady, monkeypatch):
    def lengths(**habits):
        return np.array([length(stroke) for (stroke,) in written(BAR, replace(steady, **habits), 300)])

    found, (low, high) = lengths(hooks=1.0), hand.HOOK_LENGTH
    assert 1.0 + 2 * low - 0.03 < found.min() < 1.0 + 3 * low
    assert 1.0 + 1.5 * high < found.max() < 1.0 + 2 * high + 0.03
    for name in ("WARP", "JITTER", "WANDER"):
        monkeypatch.setattr(hand, name, 0.0)
    found = lengths(haste=hand.HASTE_RANGE[1])
    assert 1.0 + 2 * hand.OVERSHOOT_RANGE[0] - 0.04 < found.min() < 0.93
    assert 1.07 < found.max() < 1.0 + 2 * hand.OVERSHOOT_RANGE[1] + 0.04


def test_tremor_is_limited(steady):
    limit = hand.TREMOR * hand.TREMOR_LIMIT * paths.DEVIATIONS * SIZE
    strayed = []
    for (stroke,) in written(BAR, replace(steady, tremor=hand.TREMOR_LIMIT), 100):
        first, last = stroke[0], stroke[-1]
        across = np.array([first[1] - last[1], last[0] - first[0]]) / np.hypot(*(last - first))
        strayed.append(np.abs((stroke - first) @ across).max())
    assert np.mean(strayed) > 2.0
    assert max(strayed) < 2 * limit + 1.0


def test_haste_opens_loops_rounding_cuts_corners_and_speed_drops_points(steady):
    def gap(writer):
        return max(np.hypot(*(loop[0] - loop[-1])) for (loop,) in written(BY_NAME["0 closed"], writer, 100)) / SIZE

    assert gap(steady) < 0.06
    assert 0.1 < gap(replace(steady, haste=1.5)) < 0.7
    ((sharp,),), ((rounded,),) = (
        written(BY_NAME["7 plain"], replace(steady, rounding=rounding), 1) for rounding in (0.0, hand.ROUNDING[1])
    )
    assert length(sharp) - 0.2 < length(rounded) < length(sharp) - 0.01
    ((slow,),), ((fast,),) = (written(BAR, replace(steady, spacing=spacing), 1) for spacing in (2.0, 14.0))
    assert len(slow) == pytest.approx(71, abs=2)
    assert len(fast) == pytest.approx(11, abs=1)


def test_a_loose_stroke_varies_more(steady):
    crossed = BY_NAME["7 crossed"]
    strict = replace(crossed, strokes=(crossed.strokes[0], replace(crossed.strokes[1], loose=False)))

    def spread(form):
        bars = [bar.mean(axis=0) - stem[0] for stem, bar in written(form, replace(steady, haste=1.0), 300)]
        return np.std(bars, axis=0).mean()

    assert crossed.strokes[1].loose
    assert spread(crossed) > 1.2 * spread(strict)


def test_draws_all_kinds_of_non_digits_except_lookalikes():
    generator = np.random.default_rng(0)
    writer = FORMS.writer(generator)
    names = {FORMS.non_digit(generator, writer)[1] for _ in range(800)}
    assert {SCRIBBLE, NUMBER} <= names <= set(FORMS.names)
    forms = [BY_NAME[name] for name in names - {SCRIBBLE, NUMBER}]
    assert {form.kind for form in forms} == set(KINDS[1:])
    assert {form.what for form in forms} > set("ABCDEFGHIJKLMNPQRTUVWXYZ")
    assert all(form.like is None for form in forms)


def test_numbers_have_a_gap_and_scribbles_are_long(steady):
    generator = np.random.default_rng(0)
    for _ in range(20):
        columns = np.sort(np.concatenate(FORMS._number(steady, generator))[:, 0])
        assert np.diff(columns).max() >= hand.NUMBER_GAP[0] - 0.01  # a gap without ink
    for _ in range(200):
        drawn = hand.scribble(generator)
        every = np.concatenate(drawn)
        assert np.isfinite(every).all()
        assert sum(paths.path_lengths(path)[-1] for path in drawn) > 2.0 * np.ptp(every, axis=0).max()
