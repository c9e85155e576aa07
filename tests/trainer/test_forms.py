"""forms.yaml: each form looks like the digit that it is filed under, and a damaged file is refused with the form's name."""

from collections import Counter

import numpy as np
import pytest
import yaml
from digitnet.images.strokes import image_from_strokes
from trainer.data.forms import KINDS, FormsError, read_forms
from trainer.data.strokes import CANVAS_SIDE, Forms

FORMS = read_forms()
DIGIT_FORMS = [form for form in FORMS if form.kind == "digits"]
LETTERS = [form for form in FORMS if form.kind in ("capitals", "small letters")]


def picture(form):
    """Of the form as the file has it, unperturbed."""
    return image_from_strokes([CANVAS_SIDE * stroke.curve @ stroke.points for stroke in form.strokes])


def test_has_several_forms_of_every_digit_and_every_capital_letter():
    assert min(Counter(form.what for form in DIGIT_FORMS).values()) >= 5
    assert {form.what for form in FORMS if form.kind == "capitals"} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    # Nobody could tell these four from a digit.
    assert {form.what for form in LETTERS} - {form.what for form in LETTERS if form.like is None} == set("OSbq")


def test_every_form_goes_through_its_points_and_stays_near_them_and_digits_are_as_high_as_the_file_says_and_no_wider():
    for form in FORMS:
        assert 10.0 < picture(form).sum() < 300.0, form.name
        for stroke in form.strokes:
            path = stroke.curve @ stroke.points
            nearest = np.hypot(*(path[:, None] - stroke.points).transpose(2, 0, 1)).min(axis=0)
            assert nearest.max() < 1e-9, form.name
            bulge = np.maximum(stroke.points.min(axis=0) - path.min(axis=0), path.max(axis=0) - stroke.points.max(axis=0))
            assert bulge.max() < 0.06, form.name
    for form in DIGIT_FORMS:
        width, height = np.ptp(np.concatenate([stroke.curve @ stroke.points for stroke in form.strokes]), axis=0)
        assert 0.95 <= height <= 1.1, form.name
        assert width <= height, form.name


def nearest(form, samples):
    """The digits, nearest first, by the pictures of all other forms, whatever the form itself is called."""
    likeness = []
    for digit in map(str, range(10)):
        others = [samples[other.name] for other in DIGIT_FORMS if other.what == digit and other is not form]
        likeness.append(np.sort(np.concatenate(others) @ _features(picture(form)))[-3:].mean())
    return np.argsort(likeness)[::-1].tolist()


def _features(picture):
    """Blurred, so that ink need not meet ink; of length 1."""
    for axis in (0, 1, 0, 1):
        picture = (np.roll(picture, 1, axis) + 2.0 * picture + np.roll(picture, -1, axis)) / 4.0
    return picture.ravel() / np.linalg.norm(picture)


def test_forms_are_most_like_other_forms_of_their_digit():
    forms, generator = Forms(), np.random.default_rng(1)
    samples = {
        form.name: np.stack([_features(image_from_strokes(forms.write(form, generator))) for _ in range(8)])
        for form in DIGIT_FORMS
    }
    places = {form.name: nearest(form, samples).index(int(form.what)) for form in DIGIT_FORMS}
    assert sum(place > 0 for place in places.values()) <= 0.05 * len(DIGIT_FORMS), places
    assert max(places.values()) < 3, places


FORM = [{"name": "plain", "weight": 1, "strokes": ["0,0 0,100"]}]


def sections(*strokes, **changes):
    """A whole file, as YAML reads it, with one form of everything, of these strokes."""
    (form,) = FORM
    form = form | ({"strokes": list(strokes)} if strokes else {}) | changes
    return {kind: {f"{kind} thing": [FORM[0].copy()]} for kind in KINDS} | {"digits": {digit: [form] for digit in range(10)}}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "forms.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
        return read_forms(path)

    return read


@pytest.mark.parametrize(("stroke", "sharp"), [("0,0 40,50 0,100", False), ("0,0 40,50! 0,100", True)])
def test_a_curve_turns_gently_but_at_corners(read, stroke, sharp):
    stroke = read(sections(stroke))[0].strokes[0]
    moves = np.diff(stroke.curve @ stroke.points, axis=0)
    turns = np.abs(np.diff(np.arctan2(moves[:, 1], moves[:, 0])))
    assert bool(turns.max() > 1.0) == sharp


def test_a_curve_moves_with_its_points_one_point_is_a_dot_and_a_tilde_makes_a_stroke_loose(read):
    curved, dot = read(sections("0,0 40,10 60,60! 0,100", "~ 30,50"))[0].strokes
    move = np.array([0.1, -0.2])
    np.testing.assert_allclose(curved.curve @ (curved.points + move), curved.curve @ curved.points + move)
    np.testing.assert_array_equal(dot.curve @ dot.points, [[0.3, 0.5]])
    assert (curved.loose, dot.loose) == (False, True)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": ""}, r"digits\.0\.0\.name: .*at least 1 character"),
        *(({"weight": weight}, r"digits\.0\.0\.weight: ") for weight in (0, float("nan"), "much", True)),
        *(({"strokes": strokes}, r"digits\.0\.0\.strokes: ") for strokes in ([], "0,0 0,100")),
        *(({"strokes": strokes}, r"strokes\.0: .*a stroke must be points") for strokes in (["~"], ["0,0 nan,100"], [[0, 0]])),
        ({"strokes": ["0,0 0,1000"]}, r"strokes\.0: .*outside.*, not '0,0 0,1000'"),
        ({"strokes": ["0,0 0,0 0,100"]}, r"strokes\.0: .*same point twice"),
        *(({"like": like}, r"digits\.0\.0\.like: ") for like in (10, 1.5, True)),
        ({"colour": "red"}, r"digits\.0\.0\.colour: "),
    ],
)
def test_refuses_a_wrong_form_by_its_place(read, change, complaint):
    with pytest.raises(FormsError, match=complaint):
        read(sections(**change))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "valid dictionary"),
        ("digits: {}", "capitals: Field required"),
        ("a: [b", "cannot be read"),
        (sections() | {"digits": dict.fromkeys(range(9), FORM)}, "digits must be 0 to 9"),
        (sections() | {"digits": dict.fromkeys(range(10), FORM) | {3: FORM * 2}}, "more than one form named 3 plain"),
        (sections() | {"symbols": {"plus": []}}, r"symbols\.plus: "),
        (sections() | {"symbols": {"plus": ["0,0"]}}, r"symbols\.plus\.0: "),
    ],
)
def test_refuses_a_damaged_file_and_a_missing_one(read, tmp_path, content, complaint):
    with pytest.raises(FormsError, match=complaint):
        read(content)
    with pytest.raises(FormsError, match=r"cannot be read: .*none\.yaml"):
        read_forms(tmp_path / "none.yaml")
