"""forms.yaml: it is sound, what it files under a digit looks like that digit, and a damaged one is refused by name."""

import numpy as np
import pytest
import yaml
from digitnet.drawing import picture_from_strokes
from trainer.forms import FORMS_FILE, KINDS, FormsError, read_forms
from trainer.strokes import CANVAS_SIDE, Forms

FORMS = read_forms()
DIGIT_FORMS = [form for form in FORMS if form.kind == "digits"]
LETTERS = [form for form in FORMS if form.kind in ("capitals", "small letters")]


def picture(form):
    """Of the form as the file has it, unperturbed."""
    return picture_from_strokes([CANVAS_SIDE * stroke.curve @ stroke.points for stroke in form.strokes])


def test_every_digit_has_several_forms():
    for digit in range(10):
        assert len([form for form in DIGIT_FORMS if form.what == str(digit)]) >= 5


def test_every_capital_letter_is_there():
    assert {form.what for form in FORMS if form.kind == "capitals"} == set("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def test_only_letters_that_nobody_could_tell_from_a_digit_have_no_other_form():
    assert {form.what for form in LETTERS} - {form.what for form in LETTERS if form.like is None} == set("OSbq")


def test_every_form_goes_through_its_points_and_stays_near_them():
    for form in FORMS:
        for stroke in form.strokes:
            path = stroke.curve @ stroke.points
            nearest = np.hypot(*(path[:, None] - stroke.points).transpose(2, 0, 1)).min(axis=0)
            assert nearest.max() < 1e-9, form.name
            bulge = np.maximum(stroke.points.min(axis=0) - path.min(axis=0), path.max(axis=0) - stroke.points.max(axis=0))
            assert bulge.max() < 0.06, form.name


def test_every_form_can_be_drawn():
    ink = {form.name: float(picture(form).sum()) for form in FORMS}
    assert {name: sum_ for name, sum_ in ink.items() if not 10.0 < sum_ < 300.0} == {}


def test_every_digit_is_as_high_as_the_file_says_and_no_wider():
    for form in DIGIT_FORMS:
        width, height = np.ptp(np.concatenate([stroke.curve @ stroke.points for stroke in form.strokes]), axis=0)
        assert 0.95 <= height <= 1.1, form.name
        assert width <= height, form.name


# What is filed under a digit looks like it: forms of their own digit are nearest, whatever the form itself is called.


@pytest.fixture(scope="module")
def nearest():
    """nearest(form): the digits, nearest first, by the pictures of all other forms as some hands write them."""
    forms, generator = Forms(), np.random.default_rng(1)
    samples = {
        form.name: np.stack([_features(picture_from_strokes(forms.write(form, generator))) for _ in range(8)])
        for form in DIGIT_FORMS
    }

    def nearest(form):
        likeness = []
        for digit in range(10):
            others = [samples[other.name] for other in DIGIT_FORMS if other.what == str(digit) and other is not form]
            likeness.append(np.sort(np.concatenate(others) @ _features(picture(form)))[-3:].mean())
        return np.argsort(likeness)[::-1].tolist()

    return nearest


def _features(picture):
    """Blurred, so that ink need not meet ink; of length 1."""
    for axis in (0, 1, 0, 1):
        picture = (np.roll(picture, 1, axis) + 2.0 * picture + np.roll(picture, -1, axis)) / 4.0
    return picture.ravel() / np.linalg.norm(picture)


def test_almost_every_form_is_most_like_other_forms_of_its_digit(nearest):
    odd = [form.name for form in DIGIT_FORMS if nearest(form)[0] != int(form.what)]
    assert len(odd) <= 0.05 * len(DIGIT_FORMS), odd


def test_no_form_is_filed_under_a_digit_that_it_is_not_like(nearest):
    assert [form.name for form in DIGIT_FORMS if int(form.what) not in nearest(form)[:3]] == []


# Curves.


def sections(*strokes, **changes):
    """A whole file, as YAML reads it, with one form of everything, of these strokes."""
    form = {"name": "plain", "weight": 1, "strokes": list(strokes or ["0,0 0,100"])} | changes
    content = {kind: {f"{kind} thing": [{"name": "plain", "weight": 1, "strokes": ["0,0 0,100"]}]} for kind in KINDS}
    content["digits"] = {digit: [form] for digit in range(10)}
    return content


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


def test_a_curve_moves_with_its_points(read):
    stroke = read(sections("0,0 40,10 60,60! 0,100"))[0].strokes[0]
    move = np.array([0.1, -0.2])
    np.testing.assert_allclose(stroke.curve @ (stroke.points + move), stroke.curve @ stroke.points + move)


def test_a_stroke_of_one_point_is_a_dot(read):
    dot = read(sections("0,0 0,100", "30,50"))[0].strokes[1]
    np.testing.assert_array_equal(dot.curve @ dot.points, [[0.3, 0.5]])


def test_a_tilde_makes_a_stroke_loose(read):
    assert [stroke.loose for stroke in read(sections("0,0 0,100", "~ 10,50 50,50"))[0].strokes] == [False, True]


# Damaged files.


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"name": ""}, "must have a name"),
        ({"weight": 0}, "0 plain: weight must be a positive number"),
        ({"weight": float("nan")}, "0 plain: weight must be a positive number"),
        ({"weight": "much"}, "0 plain: weight must be a positive number"),
        ({"weight": True}, "0 plain: weight must be a positive number"),
        ({"strokes": []}, "0 plain: strokes must be a list"),
        ({"strokes": "0,0 0,100"}, "0 plain: strokes must be a list"),
        ({"strokes": [""]}, "0 plain: a stroke must be points"),
        ({"strokes": ["~"]}, "0 plain: a stroke must be points"),
        ({"strokes": ["0,0 0;100"]}, "0 plain: a stroke must be points"),
        ({"strokes": ["0,0 nan,100"]}, "0 plain: a stroke must be points"),
        ({"strokes": [[0, 0]]}, "0 plain: a stroke must be points"),
        ({"strokes": ["0,0 0,1000"]}, "0 plain: '0,0 0,1000' is outside"),
        ({"strokes": ["0,0 0,0 0,100"]}, "0 plain: '0,0 0,0 0,100' has the same point twice"),
        ({"like": 1}, "0 plain: like must be a digit, and only what is no digit"),
        ({"colour": "red"}, "0 plain: colour means nothing"),
    ],
)
def test_a_wrong_form_is_refused_by_name(read, change, complaint):
    with pytest.raises(FormsError, match=complaint):
        read(sections(**change))


@pytest.mark.parametrize("like", [10, -1, 1.0, "1", True])
def test_a_letter_must_be_like_a_digit_or_none(read, like):
    content = sections()
    content["capitals"]["capitals thing"][0]["like"] = like
    with pytest.raises(FormsError, match="capitals thing plain: like must be a digit"):
        read(content)


def test_a_name_that_stands_for_two_forms_is_refused(read):
    content = sections()
    content["digits"][3] *= 2
    with pytest.raises(FormsError, match="more than one form named 3 plain"):
        read(content)


def test_a_digit_that_is_missing_is_missed(read):
    content = sections()
    del content["digits"][7]
    with pytest.raises(FormsError, match="digits must be 0 to 9"):
        read(content)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "must have the sections"),
        ("digits: {}", "must have the sections"),
        ("a: [b", "is not YAML"),
        (sections() | {"digits": []}, "digits must hold names"),
        (sections() | {"symbols": {"plus": {}}}, "symbols: plus must be a list"),
        (sections() | {"symbols": {"plus": ["0,0"]}}, "symbols: plus: each form must have a name"),
    ],
)
def test_a_damaged_file_is_refused(read, content, complaint):
    with pytest.raises(FormsError, match=complaint):
        read(content)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FormsError, match=r"none\.yaml cannot be read"):
        read_forms(tmp_path / "none.yaml")


def test_a_cut_off_file_is_refused(read):
    content = FORMS_FILE.read_text(encoding="utf-8")
    with pytest.raises(FormsError):
        read(content[: len(content) // 2])
