"""Any params.yaml gives settings, or a SettingsError that names the file. No other error comes through, no code runs, and it
takes no more memory than the text is worth."""

import copy
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from trainer.settings import (
    SettingsError,
    read_preprocess_settings,
    read_rejected_digits,
    read_synthesize_settings,
    read_test_settings,
    read_train_settings,
)

FREELY = 2_000_000  # bytes of memory, beside
PER_BYTE = 2_000  # what PyYAML needs for each byte of a text: a node, with where it began and ended, for as little as "- "
MISSING, REFUSED, READ = "missing", "refused", "read"

READERS = {
    "preprocess": read_preprocess_settings,
    "synthesize": read_synthesize_settings,
    "evaluate": read_rejected_digits,
    "test": read_test_settings,
    "train": read_train_settings,
}


def read(path: Path, section: str) -> str:
    """As a stage would, with what training makes of it: REFUSED or READ, or what came through instead."""
    try:
        found = READERS[section](path)
        if section == "train":
            found.make_optimizer(found.make_network().parameters.size)
    except SettingsError as error:
        assert "params.yaml" in str(error)  # noqa: PT017, reading it may be right
        assert len(str(error)) < 1_000  # noqa: PT017
        return REFUSED
    return READ


def read_text(path: Path, text: bytes) -> Counter:
    path.write_bytes(text)
    tracemalloc.start()
    outcomes = Counter(read(path, section) for section in READERS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < FREELY + PER_BYTE * len(text)
    return outcomes


# In a value's place.
ODD = [
    *(None, float("nan"), float("inf"), 10**400, -1, True, [1, None]),
    ["flatten", {"dense": {"units": 10**14}}, {"dense": {"units": 10}}],
    {"adam": {"beta1": float("nan"), 1: "x"}},
    {1: {1: {1: 1}}, None: None},
]


def places_in(value, path=()):
    """The way to each value within, and to each within those."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places_in(each, (*path, key))


def with_value(params, path, value):
    """`params` as YAML without what is at the end of the path, or with another value there."""
    params = inner = copy.deepcopy(params)
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return yaml.dump(params, Dumper=WithoutAliases).encode()


class WithoutAliases(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def readers_of(path):
    """The sections whose stages read what is there."""
    if path[0] == "recipes":
        return READERS if len(path) == 1 else {path[1], "train"} & set(READERS)
    return READERS if path[0] in ("recipe", "seed") else {path[0] if path[0] in READERS else "train"}


@pytest.mark.slow
def test_a_missing_or_other_value_is_refused_or_harmless(params, tmp_path, documented):
    path, counted = tmp_path / "params.yaml", Counter()
    params = yaml.safe_load(params.replace("recipe: default", "recipe: longer"))
    for place in places_in(params):
        for value in (MISSING, *ODD):
            path.write_bytes(with_value(params, place, value))
            counted.update(read(path, section) for section in readers_of(place))
    documented(
        "bad-files",
        "params.yaml: each value missing, or null, not a number, huge, negative, a list, names that are numbers, …",
        f"{counted.total():,} times",
        f"refused {counted[REFUSED]:,} times, with a sentence that names what is wrong; {counted[READ]:,} times it may be so",
    )


def lines_of(*lines):
    return "\n".join(lines).encode()


# Each of these once came through as another error, or would fill the memory.
BAD = {
    "a date that cannot be": b"seed: 2026-99-99",
    "no number": b'seed: !!int ""',
    "a number of 5,000 digits": b"seed: " + b"9" * 5_000,
    "lists 400 deep": b"seed: " + b"[" * 400,
    "networks that are a number": b"recipe: default\nrecipes: {}\ntrain: {network: perceptron}\nnetworks: 5",
    "networks named by numbers": b"recipe: default\nrecipes: {}\ntrain: {network: x}\nnetworks: {1: [], 2: []}",
    "recipes named by numbers": b"recipe: x\nrecipes: {train: {1: {}, 2: {}}}",
    "billions of laughs": lines_of(
        "a0: &a0 [ha, ha]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)), "recipes: *a39"
    ),
    "billions of laughs, merged": lines_of(
        "a0: &a0 {x: 1}", *(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)), "recipes: *a11"
    ),
    "a list within itself": b"recipes: &a [*a]",
    "half a character": b"seed: \xe2\x82",
    "a control character": b"seed: \0",
    "nothing": b"",
    "no fraction": b"seed: !!float x",
    "no truth value": b"seed: !!bool maybe",
    "no time": b"seed: !!timestamp x",
    "a megabyte of text": b"recipes: " + b"x" * 1_000_000,
    "objects 400 deep": b"{a: " * 400,
}


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name, marks=[pytest.mark.slow] * name.endswith("deep")) for name, text in BAD.items()]
)
def test_refuses_text_that_once_was_too_much(tmp_path, text):
    assert read_text(tmp_path / "params.yaml", text) == {REFUSED: len(READERS)}


@pytest.mark.parametrize(
    "tag",
    ["python/object/apply:pathlib.Path.touch", "python/object/new:pathlib.Path", "python/name:os.system", "python/module:os"],
)
def test_refuses_a_tag_that_would_run_code_and_runs_none(tmp_path, tag):
    witness = tmp_path / "it-ran"
    assert read_text(tmp_path / "params.yaml", f"seed: !!{tag} [{witness}]".encode()) == {REFUSED: len(READERS)}
    assert not witness.exists()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.dates() | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=12,
)
SECTIONS = ("recipe", "recipes", "networks", "train", "seed", "preprocess", "synthesize", "evaluate", "test")


documents = (anything | st.dictionaries(st.sampled_from(SECTIONS), anything, max_size=9)).map(
    lambda document: yaml.dump(document, Dumper=WithoutAliases, allow_unicode=True).encode()
)
texts = st.binary(max_size=80) | st.text("&*!<>|%@`'\"#?:,[]{}-=~.0159eExb_ \nainrst", max_size=60).map(str.encode)


@pytest.mark.slow
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,  # the same examples every time
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],  # one file for all of them
)
@given(text=documents | texts)
@example(text=b"recipe: x\nrecipes: {train: {1: {}}}")
@example(text=b"!!omap 5")
@example(text=b"? [a]\n: b")
@example(text=b"0b: 0x_")
def test_any_text_is_refused_or_read(tmp_path, text):
    read_text(tmp_path / "params.yaml", text)
