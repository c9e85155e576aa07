"""forms.yaml: each form resembles its digit, and errors name a wrong form."""

from collections import Counter
from zlib import crc32

import numpy as np
import pytest
import yaml
from digitnet.images.strokes import image_from_strokes
from trainer.data.forms import KINDS, read_forms
from trainer.data.strokes import CANVAS_SIDE, Forms

FORMS = read_forms()
DIGIT_FORMS = [form for form in FORMS if form.kind == "digits"]
LETTERS = [form for form in FORMS if form.kind in ("capitals", "small letters")]


def image(form):
    """Return the image of the unperturbed form."""
    return image_from_strokes([CANVAS_SIDE * stroke.curve @ stroke.points for stroke in form.strokes])


def test_has_several_forms_of_every_digit_and_every_capital_letter():
    assert max(Counter(form.name for form in FORMS).values()) == 1
    assert list(dict.fromkeys(form.what for form in DIGIT_FORMS)) == list("0123456789")
    assert min(Counter(form.what for form in DIGIT_FORMS).values()) >= 5
    assert {form.what for form in FORMS if form.kind == "capitals"} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    # These four letters look like digits.
    assert {form.what for form in LETTERS} - {form.what for form in LETTERS if form.like is None} == set("OSbq")


def test_every_form_follows_its_points_within_the_unit_square():
    for form in FORMS:
        assert 10.0 < image(form).sum() < 300.0, form.name
        assert 0.0 < form.weight < 100.0
        for stroke in form.strokes:
            path = stroke.curve @ stroke.points
            assert -0.3 <= path.min() <= path.max() <= 1.3, form.name  # about a unit square
            nearest = np.hypot(*(path[:, None] - stroke.points).transpose(2, 0, 1)).min(axis=0)
            assert nearest.max() < 1e-9, form.name
            bulge = np.maximum(stroke.points.min(axis=0) - path.min(axis=0), path.max(axis=0) - stroke.points.max(axis=0))
            assert bulge.max() < 0.06, form.name
    for form in DIGIT_FORMS:
        width, height = np.ptp(np.concatenate([stroke.curve @ stroke.points for stroke in form.strokes]), axis=0)
        assert 0.95 <= height <= 1.1, form.name
        assert width <= height, form.name


def nearest(form, samples):
    """Return the digits by likeness to the other forms, most alike first."""
    likeness = []
    for digit in map(str, range(10)):
        others = [samples[other.name] for other in DIGIT_FORMS if other.what == digit and other is not form]
        likeness.append(np.sort(np.concatenate(others) @ _features(image(form)))[-3:].mean())
    return np.argsort(likeness)[::-1].tolist()


def _features(image):
    """Return the blurred image as a unit vector."""
    for axis in (0, 1, 0, 1):
        image = (np.roll(image, 1, axis) + 2.0 * image + np.roll(image, -1, axis)) / 4.0
    return image.ravel() / np.linalg.norm(image)


def test_forms_resemble_other_forms_of_their_digit():
    forms, samples = Forms(), {}
    for form in DIGIT_FORMS:
        generator = np.random.default_rng([0, crc32(form.name.encode())])  # a new form leaves the others' samples as they are
        samples[form.name] = np.stack([_features(image_from_strokes(forms.write(form, generator))) for _ in range(24)])
    places = {form.name: nearest(form, samples).index(int(form.what)) for form in DIGIT_FORMS}
    assert sum(place > 0 for place in places.values()) <= 0.05 * len(DIGIT_FORMS), places
    assert max(places.values()) < 3, places


@pytest.fixture
def read(tmp_path):
    """read(*strokes, …): write a file whose forms have these strokes, and return its first form."""

    def read(*strokes, **changes):
        form = {"name": "plain", "weight": 1, "strokes": list(strokes)} | changes
        path = tmp_path / "forms.yaml"
        path.write_text(yaml.safe_dump({kind: {"thing": [form]} for kind in KINDS}))
        return read_forms(path)[0]

    return read


@pytest.mark.parametrize(("stroke", "sharp"), [("0,0 40,50 0,100", False), ("0,0 40,50! 0,100", True)])
def test_a_curve_is_smooth_except_at_corners(read, stroke, sharp):
    stroke = read(stroke).strokes[0]
    moves = np.diff(stroke.curve @ stroke.points, axis=0)
    turns = np.abs(np.diff(np.arctan2(moves[:, 1], moves[:, 0])))
    assert bool(turns.max() > 1.0) == sharp


def test_parses_curves_dots_and_loose_strokes(read):
    curved, dot = read("0,0 40,10 60,60! 0,100", "~ 30,50").strokes
    move = np.array([0.1, -0.2])
    np.testing.assert_allclose(curved.curve @ (curved.points + move), curved.curve @ curved.points + move)
    np.testing.assert_array_equal(dot.curve @ dot.points, [[0.3, 0.5]])
    assert (curved.loose, dot.loose) == (False, True)


@pytest.mark.parametrize("stroke", ["~", "0,0 x,100", "0,0 0", "0,0 0,0 0,100", 5])
def test_error_names_a_form_with_a_wrong_stroke_or_weight(read, stroke):
    with pytest.raises(ValueError, match=r"forms\.yaml: digits: thing: .*plain"):
        read(stroke)
    with pytest.raises(ValueError, match=r"forms\.yaml: digits: thing: .*weight"):
        read("0,0 0,100", weight="much")
