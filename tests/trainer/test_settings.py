"""Settings from params.yaml: values, recipes and errors."""

from pathlib import Path

import pytest
import yaml
from digitnet.images.augment import Augmentation
from digitnet.optimizers import SGD
from trainer.settings import (
    RECIPE_SECTIONS,
    EvaluateSettings,
    PreprocessSettings,
    ReleaseTestSettings,
    SettingsError,
    SynthesizeSettings,
    TrainSettings,
)

PROJECT = Path(__file__).parents[2]


def changed(params_file, dotted, value):
    params = inner = yaml.safe_load(params_file.read_text())
    *path, last = dotted.split(".")
    for key in path:
        inner = inner[key]
    inner[last] = value
    if value is None:
        del inner[last]
    params_file.write_text(yaml.safe_dump(params))
    return params_file


def test_params_yaml_declares_both_networks(tmp_path):
    settings = TrainSettings.read(PROJECT / "params.yaml")
    assert settings.network == "convolutional"
    assert settings.make_network().parameters.size == 98_827
    path, text = tmp_path / "params.yaml", (PROJECT / "params.yaml").read_text()
    assert text.count("network: convolutional") == 1
    path.write_text(text.replace("network: convolutional", "network: perceptron"))
    assert TrainSettings.read(path).make_network().shapes == [(1, 28, 28), (784,), (50,), (50,), (20,), (20,), (10,)]


@pytest.mark.parametrize(("recipe", "epochs", "digits"), [("default", 3, 40), ("longer", 5, 60), ("crowded", 3, 90)])
def test_a_recipe_overrides_values(params_file, recipe, epochs, digits):
    settings = TrainSettings.read(changed(params_file, "recipe", recipe))
    assert (settings.recipe, settings.epochs, settings.batch_size) == (recipe, epochs, 16)
    whole = Augmentation() if recipe == "longer" else Augmentation(shift=1.0, rotation=5)
    assert settings.augmentation == whole  # a value is replaced, not merged
    assert SynthesizeSettings.read(params_file).digits == digits
    assert PreprocessSettings.read(params_file).validation_size == 40
    assert EvaluateSettings.read(params_file).rejected_digits == 0.1


def test_each_stage_depends_on_its_recipe_section():
    stages = yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]
    recipes = yaml.safe_load((PROJECT / "params.yaml").read_text())["recipes"]
    assert set(recipes) == set(RECIPE_SECTIONS)
    for name, stage in stages.items():
        own = {param for param in stage.get("params", ()) if param.startswith("recipe")}
        assert own == ({"recipe", f"recipes.{name}"} if name in RECIPE_SECTIONS else set())


@pytest.mark.parametrize(
    ("dotted", "value", "complaint"),
    [
        ("recipe", None, "recipe is missing"),
        ("recipe", "quick", "recipe must be one of default, crowded, longer, not 'quick'"),
        ("recipe", ["longer"], "recipe must be a valid string"),
        ("recipes", "none", "recipes must be a valid dictionary, not 'none'"),
        ("recipes.train", 5, "recipes.train must be a valid dictionary, not 5"),
        ("recipes.train.longer", [1], "recipes.train.longer must be a valid dictionary"),
        ("recipes.train.longer.epoch", 5, "train.epoch is unknown"),
        ("recipes.preprocess", {"longer": {}}, "recipes.preprocess must be 'synthesize', 'train' or 'evaluate'"),
    ],
)
def test_rejects_a_wrong_recipe(params_file, dotted, value, complaint):
    changed(params_file, "recipe", "longer")
    with pytest.raises(SettingsError, match=complaint):
        TrainSettings.read(changed(params_file, dotted, value))


@pytest.mark.parametrize(
    ("dotted", "value", "complaint"),
    [
        ("train.epochs", 0, "train.epochs must be greater than or equal to 1, not 0"),
        ("train.epochs", 2.5, "train.epochs must be a valid integer, not 2.5"),
        ("train.epochs", True, "train.epochs must be a valid integer, not True"),
        ("train.epochs", None, "train.epochs is missing"),
        ("train.learning_rate", "fast", "train.learning_rate must be a valid number"),
        ("train.learning_rate", float("nan"), "train.learning_rate must be less than or equal to 100, not nan"),
        ("train.augmentation", 3, "train.augmentation is wrong: .* must be a mapping, not int"),
        ("train.augmentation", {"rotation": -1}, "train.augmentation is wrong: rotation must be a number from 0 up, not -1"),
        ("train.augmentation", {"glitter": 1}, "train.augmentation is wrong: .*glitter"),
        ("train.glitter", 1, "train.glitter is unknown"),
        ("train.network", "transformer", "train.network must be one of classic, forgetful, perceptron"),
        ("train.schedule", "exponential", "train.schedule must be one of one_cycle, cosine, constant"),
        ("train.optimizer", "rmsprop", "train.optimizer must be one of sgd, adam"),
        ("train.optimizer", {"adam": 3}, "train.optimizer_options must be a valid dictionary, not 3"),
        ("train.optimizer", ["adam"], "train.optimizer must be a valid string"),
        ("networks.perceptron", "flatten", r"networks\.perceptron must be a valid list"),
        ("networks.perceptron", [], r"networks\.perceptron"),
        ("networks.perceptron", ["flatten"], r"networks\.perceptron"),
        ("networks.perceptron", ["flatten", "swish"], r"networks\.perceptron"),
    ],
)
def test_error_names_a_wrong_value(params_file, dotted, value, complaint):
    with pytest.raises(SettingsError, match=complaint):
        TrainSettings.read(changed(params_file, dotted, value)).make_network()


def test_reads_the_settings_of_other_stages(params_file):
    settings = SynthesizeSettings.read(params_file)
    assert (settings.digits, settings.non_digits, settings.seed) == (40, 20, 3)
    assert [settings.sizes(split) for split in ("training", "validation", "test")] == [(40, 20), (20, 10), (20, 10)]
    assert ReleaseTestSettings.read(params_file) == ReleaseTestSettings(margin=0.05, significance=0.01, milliseconds=2000.0)
    assert PreprocessSettings.read(params_file) == PreprocessSettings(validation_size=40, seed=3)


@pytest.mark.parametrize(
    ("read", "dotted", "value", "complaint"),
    [
        (PreprocessSettings.read, "preprocess.validation_size", 60_000, "less than or equal to 50000, not 60000"),
        (SynthesizeSettings.read, "synthesize.digits", -1, "greater than or equal to 0"),
        (ReleaseTestSettings.read, "test.margin", 2, "less than or equal to 1, not 2"),
        (EvaluateSettings.read, "evaluate.rejected_digits", 1.9, "less than or equal to 1, not 1.9"),
    ],
)
def test_rejects_a_number_out_of_bounds(params_file, read, dotted, value, complaint):
    with pytest.raises(SettingsError, match=f"{dotted} must be {complaint}"):
        read(changed(params_file, dotted, value))


def test_an_optimizer_can_have_options(params_file):
    optimizer = TrainSettings.read(changed(params_file, "train.optimizer", {"sgd": {"momentum": 0.5}})).make_optimizer(4)
    assert isinstance(optimizer, SGD)
    assert optimizer.momentum == 0.5
    for options in ({"momentum": 2.0}, {"speed": 1}):
        settings = TrainSettings.read(changed(params_file, "train.optimizer", {"sgd": options}))
        with pytest.raises(SettingsError, match=r"train\.optimizer"):
            settings.make_optimizer(4)


def test_error_says_what_to_do_without_params(tmp_path):
    path = tmp_path / "params.yaml"
    with pytest.raises(SettingsError, match="run this in the project's top folder"):
        TrainSettings.read(path)
    for content, complaint in (("a: [", "is not valid YAML"), ("- 1", "the file must be")):
        path.write_text(content)
        with pytest.raises(SettingsError, match=complaint):
            TrainSettings.read(path)
