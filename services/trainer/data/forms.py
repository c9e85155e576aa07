"""forms.yaml, read and checked: the forms in which people write digits, letters and symbols, as points that a pen goes through.

Between its points a stroke is a centripetal Catmull-Rom spline (Yuksel, Schaefer and Keyser, 2011: it makes no loops or cusps
that the points do not ask for). Such a curve is linear in its points, so each stroke carries the matrix that turns points into
the curve: move the points, multiply, and the curve has moved with them.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml

FORMS_FILE = Path(__file__).with_name("forms.yaml")
DIGITS = "digits"
KINDS = (DIGITS, "capitals", "small letters", "symbols")  # the file's sections

POINT = re.compile(r"(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)(!?)")  # x,y and ! for a corner
LOOSE = "~"
POINTS_PER_HEIGHT = 100.0  # the file counts in hundredths of a form's height
ALLOWED = (-0.3, 1.3)  # of the height: a form fills about a unit square, and what is far outside it is a slip of the pen
CURVE_STEP = 0.03  # of the height, between two points of the curve


class FormsError(ValueError):
    """Something in forms.yaml is missing or wrong; the message names the form and says what it should be."""


@dataclass(frozen=True, eq=False)
class Stroke:
    """points (k, 2), 1 = the form's height, y down; `curve` (n, k): curve @ points is the stroke's path, (n, 2).

    Of a loose stroke, people take the place, length and direction lightly.
    """

    points: np.ndarray
    curve: np.ndarray
    loose: bool


@dataclass(frozen=True, eq=False)
class Form:
    kind: str
    what: str  # it is a form of: "7", "A", "arrow"
    name: str  # with what it is: "7 crossed"
    weight: float
    strokes: tuple[Stroke, ...]
    like: int | None  # the digit that people could not tell it from


def read_forms(path: Path = FORMS_FILE) -> tuple[Form, ...]:
    """All forms in the file's order, the digits' first. FormsError if it cannot be read or is not as its top says."""
    try:
        sections = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormsError(f"{path} cannot be read ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormsError(f"{path} is not YAML: {error}") from error
    if not isinstance(sections, dict) or set(sections) != set(KINDS):
        raise FormsError(f"{path} must have the sections {', '.join(KINDS)}, and no others")
    forms = []
    for kind in KINDS:
        entries = sections[kind]
        if not isinstance(entries, dict) or not entries:
            raise FormsError(f"{path}: {kind} must hold names and their forms")
        if kind == DIGITS and list(entries) != list(range(10)):
            raise FormsError(f"{path}: {kind} must be 0 to 9, in order, not {', '.join(map(str, entries))}")
        for what, listed in entries.items():
            if not isinstance(listed, list) or not listed:
                raise FormsError(f"{path}: {kind}: {what} must be a list of forms")
            forms += [_form(kind, str(what), entry, f"{path}: {kind}: {what}") for entry in listed]
    names = [form.name for form in forms]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise FormsError(f"{path}: there is more than one form named {', '.join(repeated)}")
    return tuple(forms)


def _form(kind, what, entry, where):
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or not entry["name"]:
        raise FormsError(f"{where}: each form must have a name, not {entry!r}")
    where = f"{where} {entry['name']}"
    unknown = set(entry) - {"name", "weight", "strokes", "like"}
    if unknown:
        raise FormsError(f"{where}: {', '.join(sorted(map(str, unknown)))} means nothing here")
    weight, strokes, like = entry.get("weight"), entry.get("strokes"), entry.get("like")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0.0 < weight < 1e6:
        raise FormsError(f"{where}: weight must be a positive number, not {weight!r}")
    if like is not None and (kind == DIGITS or type(like) is not int or like not in range(10)):
        raise FormsError(f"{where}: like must be a digit, and only what is no digit itself has it, not {like!r}")
    if not isinstance(strokes, list) or not strokes:
        raise FormsError(f"{where}: strokes must be a list, not {strokes!r}")
    return Form(kind, what, f"{what} {entry['name']}", float(weight), tuple(_stroke(text, where) for text in strokes), like)


def _stroke(text, where):
    parts = text.split() if isinstance(text, str) else []
    loose = parts[:1] == [LOOSE]
    matches = [POINT.fullmatch(part) for part in parts[loose:]]
    if not matches or None in matches:
        raise FormsError(f'{where}: a stroke must be points such as "0,0 50,20! 50,100", not {text!r}')
    points = np.array([[float(match[1]), float(match[2])] for match in matches]) / POINTS_PER_HEIGHT
    if points.min() < ALLOWED[0] or points.max() > ALLOWED[1]:
        raise FormsError(f"{where}: {text!r} is outside the form's box, 0 to 100")
    if len(points) > 1 and not np.hypot(*np.diff(points, axis=0).T).all():
        raise FormsError(f"{where}: {text!r} has the same point twice in a row")
    corners = [index for index, match in enumerate(matches) if match[3] and 0 < index < len(points) - 1]
    return Stroke(points, _curve(points, corners), loose)


def _curve(points, corners):
    """(n, k): the splines from corner to corner, one after the other, as a matrix that takes the points."""
    if len(points) == 1:
        return np.ones((1, 1))
    rows = []
    bounds = [0, *corners, len(points) - 1]
    for first, last in pairwise(bounds):
        spline = _spline(points[first : last + 1])
        block = np.zeros((len(spline), len(points)))
        block[:, first : last + 1] = spline
        rows.append(block)
    rows.append(np.eye(len(points))[-1:])
    return np.concatenate(rows)


def _spline(points):
    """The matrix of one smooth run through (k, 2) points, without the last of them, by Barry and Goldman's pyramid."""
    eye = np.eye(len(points))
    controls = np.concatenate([[2.0 * eye[0] - eye[1]], eye, [2.0 * eye[-1] - eye[-2]]])  # mirrored beyond both ends
    lengths = np.hypot(*np.diff(controls @ points, axis=0).T)
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(lengths))])  # centripetal: the square root of the distance
    rows = []
    for start in range(len(points) - 1):
        count = max(2, int(np.ceil(lengths[start + 1] / CURVE_STEP)))
        t = np.linspace(knots[start + 1], knots[start + 2], count, endpoint=False)[:, None]
        k0, k1, k2, k3 = knots[start : start + 4]
        p0, p1, p2, p3 = controls[start : start + 4]
        a1, a2, a3 = _between(p0, p1, k0, k1, t), _between(p1, p2, k1, k2, t), _between(p2, p3, k2, k3, t)
        b1, b2 = _between(a1, a2, k0, k2, t), _between(a2, a3, k1, k3, t)
        rows.append(_between(b1, b2, k1, k2, t))
    return np.concatenate(rows)


def _between(left, right, from_knot, to_knot, t):
    return left + (right - left) * (t - from_knot) / (to_knot - from_knot)
