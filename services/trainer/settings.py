"""The experiment in params.yaml: data, network and training, each section a frozen class. An error names the wrong value.

The file's top level is the recipe `default`. Another recipe overrides single values: `recipe: best` reads train.epochs from
recipes.train.best.epochs if that exists.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from reprlib import repr as shown  # of values that may be long
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args

import yaml
from digitnet.images.augment import Augmentation
from digitnet.network import Network
from digitnet.optimizers import OPTIMIZERS
from digitnet.schedules import SCHEDULES
from digitnet.training import Optimizer
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

PARAMS_FILE = Path("params.yaml")
DEFAULT_RECIPE = "default"
# PyYAML raises these for invalid YAML, and for a value that contradicts its tag: !!int "", !!bool 5, 2026-99-99.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError, RecursionError)


class SettingsError(ValueError):
    """A value in params.yaml is missing or wrong; the message names it and says what it should be."""


def _one_of(names: Iterable[str]) -> AfterValidator:
    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"must be one of {', '.join(names)}, not {shown(name)}")
        return name

    return AfterValidator(check)


def _augmentation(strengths: Any) -> Augmentation:
    try:
        return Augmentation(**strengths)
    except (TypeError, ValueError) as error:
        raise ValueError(f"is wrong: {error}") from error


Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Section = dict[str, Any]


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StageSettings(Settings):
    """A section of params.yaml, for the stage of that name."""

    section: ClassVar[str]

    @classmethod
    def read(cls, path: Path = PARAMS_FILE) -> Self:
        """Return the section with the values of the chosen recipe. SettingsError names a wrong value."""
        return _validated(cls, cls._values(read_params(path)), cls.section)

    @classmethod
    def _values(cls, params: "Params") -> Section:
        values: Section = getattr(params, cls.section)
        return values | {"seed": params.seed} if "seed" in cls.model_fields else values


class PreprocessSettings(StageSettings):
    section = "preprocess"

    validation_size: int = Field(ge=1, le=50_000)  # of MNIST's 60,000 training digits
    seed: Seed


class SynthesizeSettings(StageSettings):
    section = "synthesize"

    digits: Count  # in the training split, in equal numbers as far as possible
    non_digits: Count
    held_out_digits: Count  # in the validation split, and as many in the test split
    held_out_non_digits: Count
    seed: Seed

    def sizes(self, split: str) -> tuple[int, int]:
        """Return the numbers of digits and of non-digits."""
        if split == "training":
            return self.digits, self.non_digits
        return self.held_out_digits, self.held_out_non_digits


class TrainSettings(StageSettings):
    section = "train"

    recipe: str
    network: str
    layers: list[Any]
    epochs: int = Field(ge=1, le=10_000)
    batch_size: int = Field(ge=1, le=10_000)  # MNIST digits in a batch
    synthetic_digits: int = Field(ge=0, le=10_000)  # added to each batch
    non_digits: int = Field(ge=0, le=10_000)  # added to each batch of a network with a class for no digit
    optimizer: Annotated[str, _one_of(OPTIMIZERS)]
    optimizer_options: Section = {}
    schedule: Annotated[str, _one_of(SCHEDULES)]
    learning_rate: float = Field(ge=1e-9, le=100.0)  # the schedule's peak
    augmentation: Annotated[Augmentation, BeforeValidator(_augmentation)]
    averaged_steps: int = Field(ge=1, le=1_000_000)  # number of last steps in the mean of the weights; 1: no averaging
    shards: int = Field(ge=1, le=64)  # parts of a batch, each on its own thread
    seed: Seed

    @classmethod
    def _values(cls, params: "Params") -> Section:
        values = super()._values(params) | {"recipe": params.recipe}
        network, optimizer = values.get("network"), values.get("optimizer")
        if not isinstance(network, str) or network not in params.networks:
            raise SettingsError(f"params.yaml: train.network must be one of {', '.join(params.networks)}, not {shown(network)}")
        values["layers"] = params.networks[network]
        if isinstance(optimizer, dict) and len(optimizer) == 1:  # a name with its options
            ((values["optimizer"], values["optimizer_options"]),) = optimizer.items()
        return values

    def make_network(self) -> Network:
        """Return the network, before its weights are drawn. SettingsError if its layers do not fit together."""
        try:
            return Network(self.layers)
        except (ValueError, OverflowError, MemoryError) as error:  # the latter two: too many weights for this machine
            raise SettingsError(f"params.yaml: networks.{self.network}: {error}") from error

    def make_optimizer(self, size: int) -> Optimizer:
        """Return the optimizer of `size` parameters. SettingsError for wrong options."""
        try:
            optimizer: Optimizer = OPTIMIZERS[self.optimizer](size, **self.optimizer_options)
        except (TypeError, ValueError, MemoryError) as error:
            raise SettingsError(f"params.yaml: train.optimizer: {error}") from error
        return optimizer


class EvaluateSettings(StageSettings):
    section = "evaluate"

    rejected_digits: Share  # share of the validation digits that the threshold may reject


class ReleaseTestSettings(StageSettings):
    section = "test"

    # The test rejects a candidate whose accuracy is lower than the live model's by more than `margin`, and by more than chance.
    # Chance explains it if a model that is worse by `margin` does as badly in at least `significance` of all tests.
    margin: Share
    significance: Share
    milliseconds: float = Field(ge=0.0, le=60_000.0)  # the limit for 99 of 100 answers


RecipeSection = Literal["synthesize", "train", "evaluate"]  # in dvc.yaml, each of these stages depends on recipes.<section>
RECIPE_SECTIONS = get_args(RecipeSection)


class Params(Settings):
    """The whole file. Each section is validated when its stage reads it."""

    seed: Seed
    recipe: str
    recipes: dict[RecipeSection, dict[str, Section]]
    networks: dict[str, list[Any]]
    preprocess: Section
    synthesize: Section
    train: Section
    evaluate: Section
    test: Section


def read_params(path: Path) -> Params:
    """Return the file with the values of the chosen recipe."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): run this in the project's top folder") from error
    except UNREADABLE as error:
        raise SettingsError(f"{path} is not valid YAML: {error or type(error).__name__}") from error
    params = _validated(Params, content)
    names = dict.fromkeys((DEFAULT_RECIPE, *(name for by_name in params.recipes.values() for name in by_name)))
    if params.recipe not in names:
        raise SettingsError(f"params.yaml: recipe must be one of {', '.join(names)}, not {shown(params.recipe)}")
    recipes = params.recipes.items()
    return params.model_copy(update={name: getattr(params, name) | by_name.get(params.recipe, {}) for name, by_name in recipes})


Model = TypeVar("Model", bound=Settings)


def _validated(model: type[Model], values: Mapping[str, Any], section: str = "") -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    name = ".".join(str(key) for key in (section, *first["loc"]) if key not in ("", "[key]")) or "the file"
    problem = {
        "missing": "is missing",
        "extra_forbidden": "is unknown",
        "value_error": first["msg"].removeprefix("Value error, "),
    }
    other = f"{first['msg'].replace('Input should', 'must')}, not {shown(first['input'])}"
    raise SettingsError(f"params.yaml: {name} {problem.get(first['type'], other)}")
