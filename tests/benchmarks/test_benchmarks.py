"""The benchmarks take too long to run here; but what they import is there, and they compare what they say they compare."""

from pathlib import Path

import pytest
from digitnet.augmentation import Augmentation
from trainer.settings import read_train_settings

PROJECT = Path(__file__).parents[2]
BENCHMARKS = sorted(path.stem for path in (PROJECT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_finds_what_it_imports(load_benchmark, name):
    assert load_benchmark(name)


def test_each_augmentation_of_the_recipe_is_left_out_once(load_benchmark):
    whole = read_train_settings(PROJECT / "params.yaml").augmentation
    variants = dict(load_benchmark("augmentation").variants(whole))
    assert variants.pop("all of it") == whole
    assert variants.pop("none") == Augmentation()
    for name, variant in variants.items():
        left_out = name.removeprefix("without ")
        assert getattr(variant, left_out) == 0.0 != getattr(whole, left_out)
        assert [f for f in vars(whole) if getattr(whole, f) != getattr(variant, f)] == [left_out]
    assert len(variants) == sum(strength > 0.0 for strength in vars(whole).values())
