"""Field errors: pydantic's errors as a sentence about the first one, and as a list with JSON pointers."""

from collections.abc import Callable, Collection, Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel

MAX_ERRORS = 10
MAX_NAME = 40  # characters of an unknown name in an error; difflib takes long for a longer one

FieldError = dict[str, str]  # of the schema FieldError
Location = tuple[str | int, ...]


class Described(NamedTuple):
    detail: str  # the first error, with its place
    errors: list[FieldError]


def body_errors(errors: Iterable[Any], schema: type[BaseModel], parameter: str = "") -> Described:
    """Describe pydantic's errors in a body of this schema. `parameter`: the query parameter that has the body."""
    known = _field_names(schema)

    def place(location: Location) -> FieldError:
        in_query = {"parameter": parameter} if parameter else {}
        return {**in_query, "pointer": _pointer(location)}

    def plain(error: Any) -> Location:
        """Return the error's place without the names of a union's members."""
        location: Location = error["loc"]
        depth = next((n for n, step in enumerate(location) if isinstance(step, str) and step not in known), len(location))
        return (*location[:-1], _short(location[-1])) if error["type"] == "extra_forbidden" else location[:depth]

    return _described([(plain(error), _reason(error, "field", known)) for error in errors], place, parameter)


def query_errors(errors: Iterable[Any]) -> Described:
    """Describe FastAPI's errors in query parameters."""
    found = [(error["loc"], _reason(error, "parameter", ())) for error in errors]
    return _described(found, lambda location: {"parameter": str(location[-1])})


def unknown_parameters(names: Iterable[str], known: Collection[str]) -> Described:
    """Describe unknown query parameters."""
    found = [(("query", _short(name)), _unknown(name, "parameter", known)) for name in names]
    return _described(found, lambda location: {"parameter": str(location[-1])})


def _described(found: Sequence[tuple[Location, str]], place: Callable[[Location], FieldError], prefix: str = "") -> Described:
    location, reason = found[0]
    where = ".".join(str(step) for step in location)
    sentence = ": ".join(part for part in (prefix, where, reason) if part)
    return Described(sentence, [{**place(location), "detail": reason} for location, reason in found[:MAX_ERRORS]])


def _reason(error: Any, kind: str, known: Collection[str]) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown(str(error["loc"][-1]), kind, known)
    return str(error["msg"]).removeprefix("Value error, ")


def _unknown(name: str, kind: str, known: Collection[str]) -> str:
    similar = get_close_matches(name, known, 1) if len(name) <= MAX_NAME else []
    return f'unknown {kind}: did you mean "{similar[0]}"?' if similar else f"unknown {kind}: leave it out"


def _short(name: str | int) -> str | int:
    return f"{name[:MAX_NAME]}…" if isinstance(name, str) and len(name) > MAX_NAME else name


def _pointer(location: Location) -> str:
    """Return a JSON pointer as a URI fragment (RFC 6901, section 6)."""
    steps = [str(step).replace("~", "~0").replace("/", "~1") for step in location]
    return "#" + "".join(f"/{quote(step, safe='~', errors='replace')}" for step in steps)


@lru_cache
def _field_names(schema: type[BaseModel]) -> frozenset[str]:
    """Return the names of all fields of a schema and of the schemas in it."""
    described = schema.model_json_schema()
    parts = [described, *described.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", ()))
