"""bench.py: what it makes of figures, and that each row has a race, a rival and packages that are pinned."""

import json
import re

import pytest


@pytest.fixture
def bench(load_benchmark):
    return load_benchmark("bench")


def test_a_row_is_the_ratio_of_the_medians_and_the_table_says_what_is_not_reached(bench):
    row = bench.Row("an epoch", "a race", "PyTorch", "seconds", 0.9)
    found = {"digitnet": [{"seconds": s} for s in (9.0, 1.0, 2.0)], "PyTorch": [{"seconds": s} for s in (4.0, 4.0, 8.0)]}
    result = bench.judged(row, found)
    assert (result.ours, result.theirs, result.ratio, result.reached) == (2.0, 4.0, 0.5, True)
    assert bench.table([result]).splitlines()[-1] == "| an epoch | 2 s | 4 s | 0.50 | 0.25 to 2.25 | at most 0.9 | yes |"
    slower = bench.judged(row, {"digitnet": found["PyTorch"], "PyTorch": found["digitnet"]})
    assert bench.table([slower]).endswith("| **no** |\n")


@pytest.mark.parametrize(
    ("ours", "more_is_better", "before", "reached", "far"),
    [
        (0.9, False, {}, True, False),
        (0.91, False, {}, False, False),
        (1.81, False, {}, False, True),
        (0.9, True, {}, True, False),
        (0.89, True, {}, False, False),
        (0.44, True, {}, False, True),
        # A row that was never reached is far off only if it gets much worse.
        (3.0, False, {"a row": 2.0}, False, False),
        (0.3, True, {"a row": 2.0}, False, True),
    ],
)
def test_is_reached_at_the_target_and_far_off_when_twice_as_bad(bench, ours, more_is_better, before, reached, far):
    row = bench.Row("a row", "a race", "rival", "figure", 0.9, more_is_better)
    result = bench.judged(row, {"digitnet": [{"figure": ours}], "rival": [{"figure": 1.0}]})
    assert (result.reached, result.is_far_off(before)) == (reached, far)


def test_without_a_rival_it_is_the_figure_itself(bench):
    row = bench.Row("slowest", "a race", None, "p99_ms", 10.0)
    result = bench.judged(row, {"digitnet": [{"p99_ms": 8.0}, {"p99_ms": 9.0}]})
    assert (result.ours, result.theirs, result.ratio, result.reached) == (8.5, None, 8.5, True)
    assert not bench.judged(row, {"digitnet": [{"p99_ms": 99.0}]}).is_far_off({})


def test_each_row_has_its_race_its_rival_and_pinned_packages(bench):
    races = {race.name: race for race in bench.RACES}
    assert {row.race for row in bench.ROWS} == set(races)
    for row in bench.ROWS:
        assert {bench.OURS, row.rival or bench.OURS} <= set(races[row.race].sides)
    sides = [side for race in bench.RACES for side in race.sides.values()]
    environments = {name for name, _ in sides if name}
    environments |= {word[1:-1] for _, program in sides for word in program if re.fullmatch(r"\{\w+\}", word)} - {"inputs", "own"}
    listed = {file.stem: file.read_text() for file in (bench.HERE / "peers").glob("*.txt")}
    assert set(listed) == environments | {"matplotlib"}  # growth.py's, for its plots
    for name, text in listed.items():
        assert all(re.fullmatch(r"[a-z]+(\[standard\])?==[\d.]+", line) for line in text.splitlines()), name


def test_sides_take_turns(bench, tmp_path):
    """Two programs that note when they are asked."""
    program, notes = tmp_path / "side.py", tmp_path / "notes"
    program.write_text(
        "import json, sys\n"
        "print('words before', 'ready', sep='\\n', flush=True)\n"
        "for number, _ in enumerate(sys.stdin):\n"
        "    open(sys.argv[2], 'a').write(sys.argv[1])\n"
        "    print(json.dumps({'seconds': number}), flush=True)\n"
    )
    race = bench.Race("a race", {name: ("", (str(program), name, str(notes))) for name in ("a", "b")})
    assert bench.run(race, tmp_path, 2)["a"] == [{"seconds": 0}, {"seconds": 1}]
    assert notes.read_text() == "abab"


def test_the_document_has_the_last_results_of_the_rows(bench):
    recorded = json.loads((bench.RESULTS / "latest.json").read_text())
    assert [row["name"] for row in recorded["rows"]] == [
        r.name for race in bench.RACES for r in bench.ROWS if r.race == race.name
    ]
    table = bench.table([bench.Result(**row) for row in recorded["rows"]])
    assert (bench.RESULTS / f"{recorded['date']}.md").read_text().endswith(table)
    assert table in (bench.PROJECT / "docs/performance.md").read_text(), "docs/performance.md has another table"
