"""Benchmarks import, compare medians, and match the figures in docs/. Running them takes too long here."""

import json
from pathlib import Path

import pytest

BENCHMARKS = sorted(path.stem for path in (Path(__file__).parents[2] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_imports(load_benchmark, name):
    assert load_benchmark(name)


def test_row_is_ratio_of_medians_and_table_marks_missed_targets(load_benchmark):
    bench = load_benchmark("bench")
    row = bench.Row("an epoch", "a race", "PyTorch", "seconds", 0.9)
    found = {"digitnet": [{"seconds": s} for s in (9.0, 1.0, 2.0)], "PyTorch": [{"seconds": s} for s in (4.0, 4.0, 8.0)]}
    result = bench.judged(row, found)
    assert (result.ours, result.theirs, result.ratio, result.reached) == (2.0, 4.0, 0.5, True)
    slower = bench.judged(row, {"digitnet": found["PyTorch"], "PyTorch": found["digitnet"]})
    assert bench.table([slower]).endswith("| **no** |\n")
    assert slower.is_far_off({})


def test_documents_show_the_recorded_results(load_benchmark):
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
