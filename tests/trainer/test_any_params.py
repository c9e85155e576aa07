"""Any params.yaml gives settings or a SettingsError with the file's name, in bounded memory and without running code."""

import copy
import tracemalloc
from collections import Counter
from pathlib import Path

import pytest
import yaml
from trainer.settings import (
    EvaluateSettings,
    PreprocessSettings,
    ReleaseTestSettings,
    SettingsError,
    SynthesizeSettings,
    TrainSettings,
)

FREELY = 2_000_000  # bytes of memory, plus
PER_BYTE = 2_000  # memory that PyYAML needs per byte of text
MISSING, REFUSED, READ = "missing", "refused", "read"

READERS = {
    "preprocess": PreprocessSettings.read,
    "synthesize": SynthesizeSettings.read,
    "evaluate": EvaluateSettings.read,
    "test": ReleaseTestSettings.read,
    "train": TrainSettings.read,
}


def read(path: Path, section: str) -> str:
    """Read the section as its stage does. Return REFUSED or READ; raise any other error."""
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


# Values to put into params.yaml.
ODD = [
    *(None, float("nan"), float("inf"), 10**400, -1, True, [1, None]),
    ["flatten", {"dense": {"units": 10**14}}, {"dense": {"units": 10}}],
    {"adam": {"beta1": float("nan"), 1: "x"}},
    {1: {1: {1: 1}}, None: None},
]


def places_in(value, path=()):
    """Yield the path of each nested value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places_in(each, (*path, key))


def with_value(params, path, value):
    """Return `params` as YAML with `value` at the path, or without it if MISSING."""
    params = inner = copy.deepcopy(params)
    for key in path[:-1]:
        inner = inner[key]
    if value is MISSING:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return yaml.safe_dump(params).encode()


def readers_of(path):
    """Return the sections whose stages read this path."""
    if path[0] == "recipes":
        return READERS if len(path) == 1 else {path[1], "train"} & set(READERS)
    return READERS if path[0] in ("recipe", "seed") else {path[0] if path[0] in READERS else "train"}


@pytest.mark.slow
def test_any_changed_value_is_rejected_or_harmless(params, tmp_path, documented):
    path, counted = tmp_path / "params.yaml", Counter()
    params = yaml.safe_load(params.replace("recipe: default", "recipe: longer"))
    for place in places_in(params):
        for value in (MISSING, *ODD):
            path.write_bytes(with_value(params, place, value))
            counted.update(read(path, section) for section in readers_of(place))
    assert counted[REFUSED] > counted[READ] > 0
    documented(
        "bad-files",
        "params.yaml with a value missing, null, not a number, huge, negative, …",
        "rejected, unless the value is allowed; the error says what is wrong",
    )


# Each of these once raised another error or filled the memory.
BAD = {
    "a date that cannot be": b"seed: 2026-99-99",
    "no number": b'seed: !!int ""',
    "a number of 5,000 digits": b"seed: " + b"9" * 5_000,
    "lists 400 deep": b"seed: " + b"[" * 400,
    "networks that are a number": b"recipe: default\nrecipes: {}\ntrain: {network: perceptron}\nnetworks: 5",
    "networks named by numbers": b"recipe: default\nrecipes: {}\ntrain: {network: x}\nnetworks: {1: [], 2: []}",
    "recipes named by numbers": b"recipe: x\nrecipes: {train: {1: {}, 2: {}}}",
    "billions of laughs": "\n".join(["a0: &a0 [ha]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]).encode(),
    "a list within itself": b"recipes: &a [*a]",
    "an omap that is none": b"!!omap 5",
    "a list for a name": b"? [a]\n: b",
    "half a character": b"seed: \xe2\x82",
    "a control character": b"seed: \0",
    "nothing": b"",
    "no fraction": b"seed: !!float x",
    "no truth value": b"seed: !!bool maybe",
    "no time": b"seed: !!timestamp x",
}


@pytest.mark.parametrize(
    "text", [pytest.param(text, id=name, marks=[pytest.mark.slow] * name.endswith("deep")) for name, text in BAD.items()]
)
def test_rejects_malicious_text(tmp_path, text):
    assert read_text(tmp_path / "params.yaml", text) == {REFUSED: len(READERS)}


def test_never_runs_a_yaml_tag(tmp_path):
    witness = tmp_path / "it-ran"
    text = f"seed: !!python/object/apply:pathlib.Path.touch [{witness}]"
    assert read_text(tmp_path / "params.yaml", text.encode()) == {REFUSED: len(READERS)}
    assert not witness.exists()
