"""bench.py: what it makes of figures, and that each row has a race, a rival and packages that are pinned."""

import json
import re

import pytest


@pytest.fixture(scope="module")
def bench(load_script):
    return load_script("benchmarks/bench.py")


@pytest.fixture
def row(bench):
    return bench.Row("an epoch", "a race", "PyTorch", "seconds", 0.9)


def test_a_row_is_the_ratio_of_the_medians(bench, row):
    found = {"digitnet": [{"seconds": s} for s in (9.0, 1.0, 2.0)], "PyTorch": [{"seconds": s} for s in (4.0, 4.0, 8.0)]}
    result = bench.judged(row, found)
    assert (result.ours, result.theirs, result.ratio, result.reached) == (2.0, 4.0, 0.5, True)
    assert result.spread == "0.25 to 2.25"


@pytest.mark.parametrize(
    ("ours", "more_is_better", "reached", "far"),
    [
        (0.9, False, True, False),
        (0.91, False, False, False),
        (1.81, False, False, True),
        (0.9, True, True, False),
        (0.89, True, False, False),
        (0.44, True, False, True),
    ],
)
def test_it_is_reached_at_the_target_and_far_off_when_it_is_twice_as_bad(bench, ours, more_is_better, reached, far):
    row = bench.Row("a row", "a race", "rival", "figure", 0.9, more_is_better)
    result = bench.judged(row, {"digitnet": [{"figure": ours}], "rival": [{"figure": 1.0}]})
    assert (result.reached, result.is_far_off({})) == (reached, far)


def test_what_was_never_reached_is_far_off_only_if_it_gets_much_worse(bench):
    slow = bench.Row("slow", "a race", "rival", "figure", 1.0)
    result = bench.judged(slow, {"digitnet": [{"figure": 3.0}], "rival": [{"figure": 1.0}]})
    assert result.is_far_off({})
    assert not result.is_far_off({"slow": 2.0})
    rare = bench.Row("rare", "a race", "rival", "figure", 1.0, more_is_better=True)
    result = bench.judged(rare, {"digitnet": [{"figure": 0.3}], "rival": [{"figure": 1.0}]})
    assert result.is_far_off({"rare": 2.0})
    assert not result.is_far_off({"rare": 0.5})


def test_without_a_rival_it_is_the_figure_itself(bench):
    row = bench.Row("slowest", "a race", None, "p99_ms", 10.0)
    result = bench.judged(row, {"digitnet": [{"p99_ms": 8.0}, {"p99_ms": 9.0}]})
    assert (result.ours, result.theirs, result.ratio, result.reached) == (8.5, None, 8.5, True)
    assert not bench.judged(row, {"digitnet": [{"p99_ms": 99.0}]}).is_far_off({})


def test_the_table_says_what_is_not_reached(bench, row):
    found = {"digitnet": [{"seconds": 2.0}], "PyTorch": [{"seconds": 1.0}]}
    last = bench.table([bench.judged(row, found)]).splitlines()[-1]
    assert last == "| an epoch | 2 s | 1 s | 2.00 | 2.00 to 2.00 | at most 0.9 | **no** |"


@pytest.mark.parametrize(
    ("figure", "unit", "said"),
    [
        (120.83, "s", "121 s"), (0.0123, "s", "12.3 ms"), (5.6e-05, "s", "56 µs"), (0.924, "s", "0.924 s"),
        (2156.4, "/s", "2,156 /s"), (64.93, "MB", "64.9 MB"), (50.0, "", "50"),
    ],
)  # fmt: skip
def test_figures_have_their_units(bench, figure, unit, said):
    assert bench._said(figure, unit) == said


def test_each_row_has_its_race_and_its_rival_there(bench):
    races = {race.name: race for race in bench.RACES}
    assert len(races) == len(bench.RACES)
    for row in bench.ROWS:
        assert bench.OURS in races[row.race].sides
        assert row.rival is None or row.rival in races[row.race].sides
    assert {row.race for row in bench.ROWS} == set(races)
    assert any(race.is_quick for race in bench.RACES)


def test_each_rival_s_packages_are_pinned(bench):
    sides = [side for race in bench.RACES for side in race.sides.values()]
    environments = {name for name, _ in sides if name}
    environments |= {word[1:-1] for _, program in sides for word in program if re.fullmatch(r"\{\w+\}", word)} - {"inputs", "own"}
    listed = {file.stem for file in (bench.HERE / "peers").glob("*.txt")}
    assert listed == environments | {"matplotlib"}  # growth.py's, for its plots
    for name in listed:
        for line in (bench.HERE / "peers" / f"{name}.txt").read_text().splitlines():
            assert re.fullmatch(r"[a-z]+(\[standard\])?==[\d.]+", line), f"{name}.txt: {line}"


def test_sides_take_turns_and_say_what_they_found(bench, tmp_path):
    """Two programs that note when they are asked."""
    program = tmp_path / "side.py"
    program.write_text(
        "import json, sys\n"
        "name, notes = sys.argv[1:]\n"
        "print('words before', 'ready', sep='\\n', flush=True)\n"
        "for number, _ in enumerate(sys.stdin):\n"
        "    open(notes, 'a').write(name)\n"
        "    print(json.dumps({'seconds': number}), flush=True)\n"
    )
    notes = tmp_path / "notes"
    race = bench.Race("a race", {name: ("", (str(program), name, str(notes))) for name in ("a", "b")})
    found = bench.run(race, tmp_path, 3)
    assert notes.read_text() == "ababab"
    assert json.dumps(found["a"]) == json.dumps([{"seconds": number} for number in range(3)])


def test_a_side_that_ends_is_a_failure(bench, tmp_path):
    program = tmp_path / "side.py"
    program.write_text("import sys; sys.exit(3)")
    with pytest.raises(SystemExit, match="ended with 3"):
        bench.run(bench.Race("a race", {"a": ("", (str(program),))}), tmp_path, 1)


def test_nothing_to_run_is_said(bench, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--only", "no such race"])
    assert "no race is left" in capsys.readouterr().err


def test_the_bodies_are_what_the_service_takes(bench, load_script, tmp_path, monkeypatch):
    from inference.schemas import PredictRequest

    monkeypatch.syspath_prepend(str(bench.HERE))
    inputs = load_script("benchmarks/bench_inputs.py")
    if not (inputs.PROJECT / "mnist" / inputs.TRAIN_IMAGES).exists():
        with pytest.raises(SystemExit, match="make data"):
            inputs.prepare(tmp_path)
        return
    inputs.prepare(tmp_path)
    for body, form in (("vector", "image_vector"), ("strokes", "strokes")):
        assert PredictRequest.model_validate_json((tmp_path / "bodies" / f"{body}.body").read_bytes()).form == form
    assert (tmp_path / "bodies" / "png.body").read_bytes().startswith(b"\x89PNG")


def test_what_was_last_recorded_is_of_the_rows_that_there_are(bench):
    recorded = json.loads((bench.RESULTS / "latest.json").read_text())
    names = [row.name for race in bench.RACES for row in bench.ROWS if row.race == race.name]
    assert [row["name"] for row in recorded["rows"]] == names
    table = (bench.RESULTS / f"{recorded['date']}.md").read_text()
    results = [bench.Result(**row) for row in recorded["rows"]]
    assert table.endswith(bench.table(results))
    assert bench.table(results) in (bench.PROJECT / "docs/performance.md").read_text(), "docs/performance.md has another table"
