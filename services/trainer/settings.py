"""The experiment, read from params.yaml: what is trained, on what, and how. A wrong value is refused with its name.

The file as it stands is the recipe `default`. Another one is what it changes of that, under `recipes`, section by section:
`recipe: best` reads train.epochs from recipes.train.best.epochs where that is there. So a stage depends on its own section alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shown  # of what may be long

import yaml
from digitnet.images.augment import Augmentation
from digitnet.network import Network
from digitnet.optimizers import OPTIMIZERS
from digitnet.schedules import SCHEDULES

PARAMS_FILE = Path("params.yaml")
DEFAULT_RECIPE = "default"
RECIPE_SECTIONS = ("synthesize", "train", "evaluate")  # for each, its stage in dvc.yaml depends on recipes.<section>


MOST_CHARACTERS = 100_000  # twenty times what the project's own has: PyYAML is slow
# What PyYAML raises for text that is no YAML, or for a value that is not what its tag says: !!int "", !!bool 5, 2026-99-99.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)


class SettingsError(ValueError):
    """Something in params.yaml is missing or wrong; the message names it and says what it should be."""


@dataclass(frozen=True)
class PreprocessSettings:
    validation_size: int  # of the 60,000 training digits, how many are kept apart to watch the training by
    seed: int


@dataclass(frozen=True)
class SynthesizeSettings:
    digits: int  # of the training split, as many of each digit as goes
    non_digits: int
    held_out_digits: int  # of the validation split, and as many of the test split
    held_out_non_digits: int
    seed: int
    processes: int = 2

    def sizes(self, split: str) -> tuple[int, int]:
        """How many digits, and how many others."""
        if split == "training":
            return self.digits, self.non_digits
        return self.held_out_digits, self.held_out_non_digits


@dataclass(frozen=True)
class TrainSettings:
    recipe: str
    network: str
    layers: tuple
    epochs: int
    batch_size: int  # of MNIST's digits
    synthetic_digits: int  # that come with them
    non_digits: int  # and what is no digit, for a network that has a class for it
    optimizer: str
    optimizer_options: Mapping[str, float]
    schedule: str
    learning_rate: float  # the schedule's peak
    augmentation: Augmentation
    averaged_steps: int  # over how many of the last steps the weights are averaged; 1: not at all
    shares: int  # threads, and parts of a batch
    seed: int

    def make_network(self) -> Network:
        """SettingsError if the layers do not fit together."""
        try:
            return Network(self.layers)
        except (ValueError, OverflowError, MemoryError) as error:  # the latter two: more weights than this machine could hold
            raise SettingsError(f"params.yaml: networks.{self.network}: {error}") from error

    def make_optimizer(self, size: int):
        """For `size` parameters; SettingsError if it does not take its options."""
        try:
            return OPTIMIZERS[self.optimizer](size, **self.optimizer_options)
        except (TypeError, ValueError, MemoryError) as error:
            raise SettingsError(f"params.yaml: train.optimizer: {error}") from error


@dataclass(frozen=True)
class TestSettings:
    __test__ = False  # pytest looks for tests by such names

    margin: float  # a candidate that reads so much less of the test digits than what is live is refused, as a share
    significance: float  # unless one that is worse by the margin would lose as many in more than this share of all tests
    milliseconds: float  # in which 99 of 100 drawings must be answered


def read_preprocess_settings(path: Path = PARAMS_FILE) -> PreprocessSettings:
    params = _read(path)
    return PreprocessSettings(
        validation_size=_number(params, "preprocess.validation_size", int, 1, 50_000),
        seed=_number(params, "seed", int, 0, 2**32 - 1),
    )


def read_synthesize_settings(path: Path = PARAMS_FILE) -> SynthesizeSettings:
    params = _read(path)
    names = ("digits", "non_digits", "held_out_digits", "held_out_non_digits")
    sizes = {name: _number(params, f"synthesize.{name}", int, 0, 1_000_000) for name in names}
    return SynthesizeSettings(**sizes, seed=_number(params, "seed", int, 0, 2**32 - 1))


def read_rejected_digits(path: Path = PARAMS_FILE) -> float:
    """The share of held-out digits that may be taken for none: evaluate sets the threshold by it."""
    return _number(_read(path), "evaluate.rejected_digits", float, 0.0, 1.0)


def read_test_settings(path: Path = PARAMS_FILE) -> TestSettings:
    params = _read(path)
    return TestSettings(
        margin=_number(params, "test.margin", float, 0.0, 1.0),
        significance=_number(params, "test.significance", float, 0.0, 1.0),
        milliseconds=_number(params, "test.milliseconds", float, 0.0, 60_000.0),
    )


def read_train_settings(path: Path = PARAMS_FILE) -> TrainSettings:
    params = _read(path)
    name = _choice(params, "train.network", _mapping(params, "networks"))
    optimizer, options = _named_options(params, "train.optimizer", OPTIMIZERS)
    return TrainSettings(
        recipe=params["recipe"],
        network=name,
        layers=_list(params, f"networks.{name}"),
        epochs=_number(params, "train.epochs", int, 1, 10_000),
        batch_size=_number(params, "train.batch_size", int, 1, 10_000),
        synthetic_digits=_number(params, "train.synthetic_digits", int, 0, 10_000),
        non_digits=_number(params, "train.non_digits", int, 0, 10_000),
        optimizer=optimizer,
        optimizer_options=options,
        schedule=_choice(params, "train.schedule", SCHEDULES),
        learning_rate=_number(params, "train.learning_rate", float, 1e-9, 100.0),
        augmentation=_augmentation(params, "train.augmentation"),
        averaged_steps=_number(params, "train.averaged_steps", int, 1, 1_000_000),
        shares=_number(params, "train.shares", int, 1, 64),
        seed=_number(params, "seed", int, 0, 2**32 - 1),
    )


class _PlainLoader(yaml.SafeLoader):
    """Values alone, no objects; and no aliases, as a few lines of aliases of aliases are more values than memory holds."""

    def compose_node(self, parent, index):
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias: write out what it stands for", self.peek_event().start_mark)
        return super().compose_node(parent, index)


def _read(path):
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_CHARACTERS + 1)
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"it is longer than {MOST_CHARACTERS:,} characters")
        params = _PlainLoader(text).get_single_data()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): run this in the project's top folder") from error
    except UNREADABLE as error:
        raise SettingsError(f"{path} is not YAML that could be read: {error or type(error).__name__}") from error
    if not isinstance(params, dict):
        raise SettingsError(f"{path} must hold names and values")
    return _with_recipe(params)


def _with_recipe(params):
    """params.yaml with what the chosen recipe changes laid over it."""
    recipes = {section: _mapping(params, f"recipes.{section}") for section in _mapping(params, "recipes")}
    names = dict.fromkeys(name for of_section in recipes.values() for name in of_section)
    if DEFAULT_RECIPE in names:
        raise SettingsError(f"params.yaml: no recipe can be called {DEFAULT_RECIPE}: that is the file as it stands")
    recipe = _choice(params, "recipe", (DEFAULT_RECIPE, *names))
    laid_over = dict(params)
    for section, of_section in recipes.items():
        if section not in RECIPE_SECTIONS:
            raise SettingsError(f"params.yaml: recipes.{section} cannot be: a recipe changes {', '.join(RECIPE_SECTIONS)}")
        if recipe in of_section:
            changes = _mapping(params, f"recipes.{section}.{recipe}")
            for key in changes:
                _get(params, f"{section}.{key}")  # a slip of the pen would change nothing, and not say so
            laid_over[section] = {**_mapping(params, section), **changes}
    return laid_over


def _get(params, dotted):
    value = params
    for key in dotted.split("."):
        if not isinstance(value, dict) or key not in value:
            raise SettingsError(f"params.yaml: {dotted} is missing")
        value = value[key]
    return value


def _number(params, dotted, kind, low, high):
    value = _get(params, dotted)
    kinds = (int,) if kind is int else (int, float)
    if not isinstance(value, kinds) or isinstance(value, bool) or not low <= value <= high:
        raise SettingsError(
            f"params.yaml: {dotted} must be a {'whole ' * (kind is int)}number from {low} to {high}, not {shown(value)}"
        )
    return kind(value)


def _mapping(params, dotted):
    value = _get(params, dotted)
    if not isinstance(value, dict):
        raise SettingsError(f"params.yaml: {dotted} must hold names and values, not {shown(value)}")
    return value


def _list(params, dotted):
    value = _get(params, dotted)
    if not isinstance(value, list):
        raise SettingsError(f"params.yaml: {dotted} must be a list, not {shown(value)}")
    return tuple(value)


def _augmentation(params, dotted):
    strengths = _get(params, dotted)
    if not isinstance(strengths, dict):
        raise SettingsError(f"params.yaml: {dotted} must hold names and strengths, not {shown(strengths)}")
    try:
        return Augmentation(**strengths)
    except (TypeError, ValueError) as error:
        raise SettingsError(f"params.yaml: {dotted}: {error}") from error


def _choice(params, dotted, choices):
    value = _get(params, dotted)
    if not isinstance(value, str) or value not in choices:
        raise SettingsError(f"params.yaml: {dotted} must be one of {', '.join(map(str, choices))}, not {shown(value)}")
    return value


def _named_options(params, dotted, choices):
    """A name alone, or {name: {option: value}}."""
    value = _get(params, dotted)
    if isinstance(value, str):
        return _choice(params, dotted, choices), {}
    if not isinstance(value, dict) or len(value) != 1:
        raise SettingsError(f"params.yaml: {dotted} must be a name, or one name with its options, not {shown(value)}")
    ((name, options),) = value.items()
    if name not in choices or not isinstance(options, dict):
        raise SettingsError(f"params.yaml: {dotted} must be one of {', '.join(choices)} with its options, not {shown(value)}")
    return name, options
