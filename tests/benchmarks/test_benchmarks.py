"""The benchmarks take too long to run here; but they start, and compare what they say they compare."""

import subprocess
import sys
from pathlib import Path

import pytest
from digitnet.augmentation import Augmentation
from trainer.settings import read_train_settings

PROJECT = Path(__file__).parents[2]
BENCHMARKS = sorted((PROJECT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda path: path.stem)
def test_it_says_what_it_does_and_how_it_is_run(benchmark):
    said = subprocess.run([sys.executable, benchmark, "--help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert f"python benchmarks/{benchmark.name}" in said


def test_each_augmentation_of_the_recipe_is_left_out_once(load_script):
    benchmark = load_script("benchmarks/augmentation.py")
    whole = read_train_settings(PROJECT / "params.yaml").augmentation
    variants = dict(benchmark.variants(whole))
    assert variants.pop("all of it") == whole
    assert variants.pop("none") == Augmentation()
    for name, variant in variants.items():
        left_out = name.removeprefix("without ")
        assert getattr(variant, left_out) == 0.0 != getattr(whole, left_out)
        assert [f for f in vars(whole) if getattr(whole, f) != getattr(variant, f)] == [left_out]
    assert len(variants) == sum(strength > 0.0 for strength in vars(whole).values())
