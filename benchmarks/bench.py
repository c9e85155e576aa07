"""Race Doodle against the usual alternatives: `make bench`, or `make bench-quick` in a minute.

    python benchmarks/bench.py                   all races, five rounds each: about 25 minutes
    python benchmarks/bench.py --quick           races whose rivals are small to install, two rounds each
    python benchmarks/bench.py --only image      races with this text in their names

The sides of a race take turns on this machine, A B A B …, so that other load affects both. Each side is a process in its own
environment, .tools/peers/…, made from benchmarks/peers/*.txt when first needed. A row is the ratio of the two medians. Compare
ratios, not figures of different runs.

Writes results to benchmarks/results/, as a table under the date and as latest.json; --quick and --only write nothing. With
--quick, the exit code is 1 if a ratio is twice as bad as both its target and the last recorded ratio.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
PEERS, RESULTS = PROJECT / ".tools" / "peers", HERE / "results"
ROUNDS, QUICK_ROUNDS = 5, 2
FAR = 2.0  # a row of --quick fails if it is this many times worse than its target and its last record: two rounds are noisy
OURS = "digitnet"

UNITS = {"seconds": "s", "_ms": "ms", "_mb": "MB", "_per_second": "/s"}  # by how a figure's name ends

Figures = dict[str, float]


@dataclass(frozen=True)
class Race:
    """Sides by name: the environment ("" is this one), and the program, which runs a round for each line of input."""

    name: str
    sides: Mapping[str, tuple[str, tuple[str, ...]]]
    is_quick: bool = False  # its rivals are small to install and its rounds short


@dataclass(frozen=True)
class Row:
    """A figure of a race, ours against one rival's. The target is a ratio, or our figure if there is no rival."""

    name: str
    race: str
    rival: str | None
    figure: str
    target: float
    more_is_better: bool = False
    is_last: bool = False  # use the last round instead of the median


@dataclass(frozen=True)
class Result:
    name: str
    ours: float
    theirs: float | None
    ratio: float  # ours / theirs; ours without a rival
    target: float
    more_is_better: bool
    reached: bool
    spread: str  # smallest to largest ratio of the rounds
    unit: str = ""  # of ours and theirs

    def is_far_off(self, recorded: Mapping[str, float]) -> bool:
        """Compare with the last recorded ratios by name. False without a rival, because such a figure depends on the machine."""
        expected = self.target, recorded.get(self.name, self.target)
        if self.theirs is None:
            return False
        return self.ratio * FAR < min(expected) if self.more_is_better else self.ratio > FAR * max(expected)


def _compute(what: str, network: str = "convolutional") -> tuple[str, tuple[str, ...]]:
    return "", (str(HERE / "compute.py"), what, "{inputs}", network)


def _peer(environment: str, program: str, *arguments: str) -> tuple[str, tuple[str, ...]]:
    return environment, (str(HERE / "peers" / program), *arguments)


def _server(name: str, environment: str, *options: str) -> tuple[str, tuple[str, ...]]:
    """Start and load the server with this Python, whichever Python the server runs on."""
    return "", (str(HERE / "serving.py"), name, "{" + environment + "}", "{inputs}", *options)


RACES = (
    Race("epoch of the convolutional net", {
        OURS: _compute("epoch"), "PyTorch": _peer("torch", "torch_compute.py", "epoch", "{inputs}", "convolutional"),
    }),
    Race("epoch of the perceptron", {
        OURS: _compute("epoch", "perceptron"), "PyTorch": _peer("torch", "torch_compute.py", "epoch", "{inputs}", "perceptron"),
    }),
    Race("recipe", {
        OURS: ("", (str(HERE / "recipe.py"),)), "PyTorch": _peer("torch", "mnist_example.py", str(PROJECT / "mnist")),
    }),
    Race("one image, PyTorch", {
        OURS: _compute("image"), "PyTorch": _peer("torch", "torch_compute.py", "image", "{inputs}", "convolutional"),
    }),
    Race("one image", {
        OURS: _compute("image"), "ONNX Runtime": _peer("onnxruntime", "onnx_compute.py", "image", "{inputs}", "convolutional"),
    }, is_quick=True),
    Race("batch of 512", {
        OURS: _compute("batch"), "ONNX Runtime": _peer("onnxruntime", "onnx_compute.py", "batch", "{inputs}", "convolutional"),
    }, is_quick=True),
    Race("strokes to 28 x 28", {
        OURS: _compute("strokes"), "Pillow": _peer("fastapi", "pillow_strokes.py", "{inputs}"),
    }, is_quick=True),
    Race("a photo", {OURS: _compute("photo")}, is_quick=True),
    Race("a PNG", {OURS: _compute("png")}, is_quick=True),
    Race("a number", {OURS: _compute("number")}, is_quick=True),
    Race("a sheet", {OURS: _compute("sheet")}, is_quick=True),
    Race("serving a vector", {
        OURS: _server("doodle", "own"), "plain FastAPI": _server("fastapi", "fastapi"),
    }, is_quick=True),
    Race("serving a vector, servers", {
        OURS: _server("doodle", "own"), "BentoML": _server("bentoml", "bentoml"), "LitServe": _server("litserve", "litserve"),
        "MLServer": _server("mlserver", "mlserver"),
    }),
    *(
        Race(f"serving {body}", {
            OURS: _server("doodle", "own", "--body", body), "plain FastAPI": _server("fastapi", "fastapi", "--body", body),
        })
        for body in ("strokes", "png")
    ),
    Race("serving a batch", {
        OURS: _server("doodle", "own", "--body", "batch", "--connections", "4"), "single requests": _server("doodle", "own"),
    }, is_quick=True),
    Race("start", {
        OURS: _server("doodle", "own", "--start"), "BentoML": _server("bentoml", "bentoml", "--start"),
        "LitServe": _server("litserve", "litserve", "--start"),
    }),
)  # fmt: skip
ROWS = (
    Row("one epoch of the convolutional net, against PyTorch", "epoch of the convolutional net", "PyTorch", "seconds", 0.9),
    Row("one epoch of the perceptron, against PyTorch", "epoch of the perceptron", "PyTorch", "seconds", 0.8),
    Row("default recipe, from data to a tested model, against PyTorch's example", "recipe", "PyTorch", "seconds", 0.1),
    Row("errors on the test digits", "recipe", "PyTorch", "errors", 1.0, is_last=True),
    Row("one image, one thread, against PyTorch", "one image, PyTorch", "PyTorch", "seconds", 0.35),
    Row("one image, one thread, against ONNX Runtime", "one image", "ONNX Runtime", "seconds", 1.5),
    Row("512 images, two threads, against ONNX Runtime", "batch of 512", "ONNX Runtime", "seconds", 1.5),
    Row("strokes to 28 x 28, against Pillow", "strokes to 28 x 28", "Pillow", "seconds", 0.5),
    Row("a JPEG of 12 megapixels, from bytes to logits, CPU time", "a photo", None, "mean_ms", 200.0),
    Row("a PNG of 280 x 280, from bytes to logits, CPU time", "a PNG", None, "mean_ms", 4.0),
    Row("a number of six digits, from strokes to text, CPU time", "a number", None, "mean_ms", 12.0),
    Row("a sheet of 40 digits, from strokes to text, CPU time", "a sheet", None, "mean_ms", 150.0),
    *(
        Row(f"requests a second, a vector, against {rival}", race, rival, "requests_per_second", target, more_is_better=True)
        for race, rival, target in (
            ("serving a vector, servers", "BentoML", 6.0),
            ("serving a vector, servers", "LitServe", 4.0),
            ("serving a vector, servers", "MLServer", 4.0),
            ("serving a vector", "plain FastAPI", 1.3),
        )
    ),
    Row("99th percentile of these requests", "serving a vector", None, "p99_ms", 10.0),
    *(
        Row(f"requests a second, {body}, against plain FastAPI with Pillow", f"serving {body}", "plain FastAPI",
            "requests_per_second", 1.5, more_is_better=True)
        for body in ("strokes", "png")
    ),
    Row("images a second, batches of 64, against single requests", "serving a batch", "single requests", "images_per_second", 4.0,
        more_is_better=True),
    *(Row(f"start of the service, against {rival}", "start", rival, "start_seconds", 0.3) for rival in ("BentoML", "LitServe")),
    *(
        Row(f"memory {when}, against {rival}", "serving a vector, servers", rival, figure, 0.5)
        for when, figure in (("at rest", "memory_at_rest_mb"), ("under load", "memory_under_load_mb"))
        for rival in ("BentoML", "LitServe")
    ),
)  # fmt: skip


def run(race: Race, inputs: Path, rounds: int) -> dict[str, list[Figures]]:
    """Return each side's figures by round. All sides stay running, and one works at a time."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(_started(*side, inputs)) for name, side in race.sides.items()}
        found = {name: [] for name in sides}
        for _ in range(rounds):
            for name, process in sides.items():
                process.stdin.write("\n")
                process.stdin.flush()
                found[name].append(json.loads(_line(process)))
    return found


@contextmanager
def _started(environment: str, program: Sequence[str], inputs: Path) -> Iterator[subprocess.Popen]:
    words = {"inputs": str(inputs), "own": sys.executable}
    for word in program:
        if word.startswith("{") and word[1:-1] not in words:
            words[word[1:-1]] = str(python_of(word[1:-1]))
    python = python_of(environment) if environment else sys.executable
    paths = [str(PROJECT / "packages"), str(HERE / "peers")] if environment else []
    variables = os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})
    command = [str(python), *(word.format(**words) for word in program)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables, text=True)
    try:
        while _line(process) != "ready":
            pass
        yield process
    finally:
        process.stdin.close()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _line(process: subprocess.Popen) -> str:
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"bench: {' '.join(process.args)} ended with {process.wait()}")
    return line.strip()


def python_of(environment: str) -> Path:
    """Return the interpreter of a peer's environment. Create the environment if it is missing or has another package list."""
    wanted = (HERE / "peers" / f"{environment}.txt").read_text(encoding="utf-8")
    folder = PEERS / environment
    python, made_of = folder / "bin" / "python", folder / "made-of.txt"
    if not made_of.exists() or made_of.read_text(encoding="utf-8") != wanted:
        print(f"bench: installing {environment} into {folder.relative_to(PROJECT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        listed = HERE / "peers" / f"{environment}.txt"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", listed], check=True)
        made_of.write_text(wanted, encoding="utf-8")
    return python


def judged(row: Row, found: Mapping[str, Sequence[Figures]]) -> Result:
    """Return a row's result from the figures of its race."""
    ours = [figures[row.figure] for figures in found[OURS]]
    theirs = [figures[row.figure] for figures in found[row.rival]] if row.rival else [1.0] * len(ours)
    if row.is_last:
        ours, theirs = ours[-1:], theirs[-1:]
    ratios = [mine / other for mine, other in zip(ours, theirs)]
    ratio = statistics.median(ours) / statistics.median(theirs)
    return Result(
        name=row.name,
        ours=statistics.median(ours),
        theirs=statistics.median(theirs) if row.rival else None,
        ratio=ratio,
        target=row.target,
        more_is_better=row.more_is_better,
        reached=ratio >= row.target if row.more_is_better else ratio <= row.target,
        spread=f"{min(ratios):.2f} to {max(ratios):.2f}",
        unit=next((unit for ending, unit in UNITS.items() if row.figure.endswith(ending)), ""),
    )


def table(results: Sequence[Result]) -> str:
    lines = ["| what | ours | theirs | ratio | over the rounds | target | reached |", "|---|---|---|---|---|---|---|"]
    for result in results:
        target = f"{'at least' if result.more_is_better else 'at most'} {result.target:g}"
        theirs = "" if result.theirs is None else _said(result.theirs, result.unit)
        lines.append(
            f"| {result.name} | {_said(result.ours, result.unit)} | {theirs} | {result.ratio:.2f} | {result.spread} | {target} | "
            f"{'yes' if result.reached else '**no**'} |"
        )
    return "\n".join(lines) + "\n"


def _said(figure: float, unit: str) -> str:
    """Return the figure with its unit; short times in milliseconds or microseconds."""
    if unit == "s" and figure < 0.1:
        figure, unit = (figure * 1e3, "ms") if figure >= 1e-3 else (figure * 1e6, "µs")
    digits = f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
    return f"{digits} {unit}".rstrip()


def machine() -> dict[str, str | int]:
    """Return the processor, cores and versions."""
    about = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    processor = next((line.partition(":")[2].strip() for line in about if line.startswith("model name")), platform.processor())
    return {"processor": processor, "cores": os.cpu_count() or 1, "python": platform.python_version(), "numpy": np.__version__}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only races whose rivals are small to install")
    parser.add_argument("--only", default="", help="only races with this text in their names")
    parser.add_argument("--rounds", type=int, help=f"rounds of each race ({ROUNDS}, quick {QUICK_ROUNDS})")
    chosen = parser.parse_args(arguments)
    rounds = chosen.rounds or (QUICK_ROUNDS if chosen.quick else ROUNDS)
    races = [race for race in RACES if chosen.only in race.name and (race.is_quick or not chosen.quick)]
    if not races or rounds < 1:
        parser.error("these options select no race or no round")

    from bench_inputs import prepare  # imported late, so that --help is fast

    results = []
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name:
        prepare(Path(name))
        for race in races:
            began = time.monotonic()
            found = run(race, Path(name), rounds)
            print(f"bench: {race.name}, {time.monotonic() - began:.0f} s", file=sys.stderr)
            results += [judged(row, found) for row in ROWS if row.race == race.name]
    print(table(results))
    if not chosen.quick and not chosen.only:
        RESULTS.mkdir(exist_ok=True)
        about = machine()
        where = ", ".join(f"{name} {value}" for name, value in about.items())
        (RESULTS / f"{date.today()}.md").write_text(f"# {date.today()}\n\n{where}\n\n{table(results)}", encoding="utf-8")
        document = {"date": str(date.today()), "machine": about, "rows": [asdict(result) for result in results]}
        (RESULTS / "latest.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    recorded = json.loads((RESULTS / "latest.json").read_text(encoding="utf-8"))["rows"] if chosen.quick else []
    far = [result.name for result in results if result.is_far_off({row["name"]: row["ratio"] for row in recorded})]
    if chosen.quick and far:
        print(f"bench: far from the target: {'; '.join(far)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
