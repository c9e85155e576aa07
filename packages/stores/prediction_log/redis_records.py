"""Records as entries of a Redis stream: a record's fields under their own names, the id first.

Numbers are text, the picture is its 784 bytes, and None is nothing at all.
"""

from dataclasses import MISSING, fields

from stores.prediction_log.base import Feedback, Prediction


def written(value):
    match value:
        case None:
            return b""
        case bool():
            return str(int(value))
        case float():
            return repr(float(value))  # the shortest text that is read back as the same number, NumPy's floats too
        case int():
            return str(int(value))
        case _:
            return value


_READ = {
    str: bytes.decode,
    float: float,
    int: int,
    bool: {b"0": False, b"1": True}.__getitem__,
    bytes: bytes,
    str | None: lambda text: text.decode() or None,
    int | None: lambda text: int(text) if text else None,
}


def read(kind: type, values: dict[bytes, bytes]) -> Prediction | Feedback | None:
    """None for an entry that is no sound record of this kind. A field with a default may be lacking: it was not always there."""
    try:
        present = [field for field in fields(kind) if field.default is MISSING or field.name.encode() in values]
        return kind(**{field.name: _READ[field.type](values[field.name.encode()]) for field in present})
    except (KeyError, ValueError):
        return None
