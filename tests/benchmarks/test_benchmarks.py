"""The benchmarks take too long to run here: they find what they import, judge by the median, and docs/ has what they recorded."""

import json
from pathlib import Path

import pytest

BENCHMARKS = sorted(path.stem for path in (Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_finds_what_it_imports(load_benchmark, name):
    assert load_benchmark(name)


def test_a_row_is_the_ratio_of_the_medians_and_the_table_says_what_is_not_reached(load_benchmark):
    bench = load_benchmark("bench")
    row = bench.Row("an epoch", "a race", "PyTorch", "seconds", 0.9)
    found = {"digitnet": [{"seconds": s} for s in (9.0, 1.0, 2.0)], "PyTorch": [{"seconds": s} for s in (4.0, 4.0, 8.0)]}
    result = bench.judged(row, found)
    assert (result.ours, result.theirs, result.ratio, result.reached) == (2.0, 4.0, 0.5, True)
    slower = bench.judged(row, {"digitnet": found["PyTorch"], "PyTorch": found["digitnet"]})
    assert bench.table([slower]).endswith("| **no** |\n")
    assert slower.is_far_off({})


def test_the_documents_have_what_was_recorded(load_benchmark):
    bench, growth, distributed = map(load_benchmark, ("bench", "growth", "distributed"))
    performance = (bench.PROJECT / "docs/performance.md").read_text()
    rows = json.loads((bench.RESULTS / "latest.json").read_text())["rows"]
    assert {row["name"] for row in rows} == {row.name for row in bench.ROWS}
    assert bench.table([bench.Result(**row) for row in rows]) in performance
    for what, exponent in json.loads((bench.RESULTS / "growth.json").read_text())["exponents"].items():
        assert exponent < 1.25, what
        assert f"| {what} | {exponent:.2f} |" in performance
    assert set(growth.GROWING) == set(json.loads((bench.RESULTS / "growth.json").read_text())["exponents"])
    scale = distributed.DOCUMENT.read_text()
    assert distributed.written(scale, json.loads(distributed.RESULT.read_text())) == scale
