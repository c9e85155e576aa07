"""Read forms.yaml: the ways people write digits, letters and symbols, as points on the pen's path.

A centripetal Catmull-Rom spline joins the points of a stroke (Yuksel, Schaefer and Keyser, 2011). The curve is linear in its
points, so each stroke has a matrix that maps points to the curve. To vary a stroke, move its points and multiply.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import yaml
from digitnet.arrays import Floats

FORMS_FILE = Path(__file__).with_name("forms.yaml")
DIGITS = "digits"
KINDS = (DIGITS, "capitals", "small letters", "symbols")  # the file's sections

LOOSE, CORNER = "~", "!"
POINTS_PER_HEIGHT = 100.0  # the file counts in hundredths of a form's height
CURVE_STEP = 0.03  # heights between two points of the curve


@dataclass(frozen=True, eq=False)
class Stroke:
    """A stroke: `points` (k, 2) in heights of the form, y down, and `curve` (n, k), so that curve @ points is the path, (n, 2).

    The place, length and direction of a `loose` stroke vary more.
    """

    points: Floats
    curve: Floats
    loose: bool


@dataclass(frozen=True, eq=False)
class Form:
    kind: str
    what: str  # "7", "A", "arrow"
    name: str  # "7 crossed"
    weight: float
    strokes: tuple[Stroke, ...]
    like: int | None  # the digit that looks the same


def read_forms(path: Path = FORMS_FILE) -> tuple[Form, ...]:
    """Return all forms in the file's order, the digits first. ValueError names a form that breaks the file's rules."""
    sections, forms = yaml.safe_load(path.read_text(encoding="utf-8")), []
    for kind in KINDS:
        for what, entries in sections[kind].items():
            for entry in entries:
                try:
                    name, strokes = f"{what} {entry['name']}", tuple(map(_stroke, entry["strokes"]))
                    forms.append(Form(kind, str(what), name, float(entry["weight"]), strokes, entry.get("like")))
                except (AttributeError, LookupError, TypeError, ValueError) as error:
                    raise ValueError(f"{path}: {kind}: {what}: {entry}: {error!r}") from error
    return tuple(forms)


def _stroke(text: str) -> Stroke:
    """Parse points such as "0,0 50,20! 50,100". A ! marks a corner, a ~ in front marks a loose stroke."""
    parts = text.split()
    loose = parts[0] == LOOSE
    points = np.array([part.rstrip(CORNER).split(",") for part in parts[loose:]], float) / POINTS_PER_HEIGHT
    if points.ndim != 2 or not np.diff(points, axis=0).any(axis=1).all():
        raise ValueError(f"a stroke must be points, each different from the one before, not {text!r}")
    corners = [index for index, part in enumerate(parts[loose:]) if part.endswith(CORNER) and 0 < index < len(points) - 1]
    return Stroke(points, _curve(points, corners), loose)


def _curve(points: Floats, corners: list[int]) -> Floats:
    """Return the matrix (n, k) of the splines between corners, one after the other."""
    if len(points) == 1:
        return np.ones((1, 1))
    rows = []
    for first, last in pairwise([0, *corners, len(points) - 1]):
        spline = _spline(points[first : last + 1])
        block = np.zeros((len(spline), len(points)))
        block[:, first : last + 1] = spline
        rows.append(block)
    rows.append(np.eye(len(points))[-1:])
    return np.concatenate(rows)


def _spline(points: Floats) -> Floats:
    """Return the matrix (n, k) of one smooth curve through points (k, 2), without its last point (Barry and Goldman, 1988)."""
    eye = np.eye(len(points))
    controls = np.concatenate([[2.0 * eye[0] - eye[1]], eye, [2.0 * eye[-1] - eye[-2]]])  # plus a mirrored point at each end
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


def _between(left: Floats, right: Floats, from_knot: float, to_knot: float, t: Floats) -> Floats:
    return left + (right - left) * (t - from_knot) / (to_knot - from_knot)
