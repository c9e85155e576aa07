"""Measure distributed training on this machine, and model it on more ranks: `make distributed`.

    python benchmarks/distributed.py              measure (three minutes), write results/distributed.json, then as --write
    python benchmarks/distributed.py --write      write the tables of docs/advanced/scale.md from the last measurement

Each figure is the least of three rounds, because other programs on the machine only add time. A round takes the median of each
measurement, and takes all measurements before the next round starts.

The model of an Allreduce of n bytes on p ranks is by Thakur, Rabenseifner and Gropp ("Optimization of collective communication
operations in MPICH", 2005). The latency is a. Sending a byte takes b seconds, adding one takes c:

    recursive doubling                 log2(p) (a + n b + n c)                          short messages
    halving, then doubling             2 log2(p) a + (p - 1) / p (2 n b + n c)          long messages

For this machine a and b are fitted to measurements of two ranks; for networks they are nominal values. The model of a step adds
the Allreduce to the time of one rank's part of the batch, measured on one core.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import bench

HERE = Path(__file__).resolve().parent
DOCUMENT, RESULT = HERE.parent / "docs" / "advanced" / "scale.md", bench.RESULTS / "distributed.json"
ROUNDS = 3
MPIRUN = Path(sys.executable).parent / "mpirun"
TCP = {"MPIR_CVAR_NOLOCAL": "1", "MPIR_CVAR_CH4_NETMOD": "ofi", "FI_PROVIDER": "tcp"}  # as if the ranks were on two machines
SHORT, LONG = 1100, 200_000  # bytes: latency dominates below SHORT, bandwidth above LONG
WORTH = 0.5  # speedup / ranks, the least efficiency that pays

# name: ranks, shards, environment, what is measured
MEASUREMENTS = {
    "1 process, 1 thread": (0, 1, {}, "steps"),
    "1 process, 2 threads": (0, 2, {}, "steps"),
    "2 ranks": (2, 2, {}, "steps"),
    "2 ranks over TCP": (2, 2, TCP, "steps"),
    "parts": (0, 1, {}, "parts"),
    "messages": (2, 1, {}, "messages"),
    "messages over TCP": (2, 1, TCP, "messages"),
    "overlap": (2, 1, {}, "overlap"),
    "overlap over TCP": (2, 1, TCP, "overlap"),
}
LINK_OF = {"messages": "shared memory", "messages over TCP": "TCP in this machine"}
STEPS = [name for name, (*_, measured) in MEASUREMENTS.items() if measured == "steps"]


@dataclass(frozen=True)
class Link:
    """The connection between any two ranks."""

    latency: float  # seconds
    per_byte: float

    def allreduce(self, size: float, ranks: int, adding: float) -> float:
        """Return the seconds of an Allreduce of `size` bytes, with `adding` seconds to add a byte."""
        rounds = math.ceil(math.log2(ranks))
        doubling = rounds * (self.latency + size * (self.per_byte + adding))
        halving = 2 * rounds * self.latency + (ranks - 1) / ranks * size * (2 * self.per_byte + adding)
        return min(doubling, halving)


def fitted(messages: dict[str, list[float]], adding: float) -> Link:
    """Fit latency and bandwidth to the times of two ranks. For a long message each sends half, adds it, and sends half again."""
    both = list(zip(messages["bytes"], messages["seconds"]))
    latency = statistics.median(seconds for size, seconds in both if size <= SHORT)
    slope = statistics.median((seconds - latency) / size for size, seconds in both if size >= LONG)
    return Link(latency, max(slope - adding / 2, 0.0))


def links(measured: dict) -> dict[str, Link]:
    adding = measured["parts"]["seconds_to_add_a_byte"]
    return {
        "shared memory": fitted(measured["messages"], adding),
        "TCP in this machine": fitted(measured["messages over TCP"], adding),
        "10 Gbit/s, 25 µs": Link(25e-6, 8 / 10e9),
        "1 Gbit/s, 25 µs": Link(25e-6, 8 / 1e9),
    }


def strong(measured: dict, recipe: str, link: Link) -> dict[int, float]:
    """Return the seconds of a step by number of ranks; each has a part of one batch."""
    of_recipe = measured["parts"][recipe]
    found = {}
    for ranks, gradient, making in zip(of_recipe["parts"], of_recipe["gradient"], of_recipe["making"]):
        found[ranks] = gradient + making + of_recipe["update"] + _sum(measured, recipe, link, ranks)
    return found


def weak(measured: dict, recipe: str, link: Link) -> dict[int, float]:
    """Return the seconds of a step by number of ranks. Each has a whole batch, and draws random numbers for all batches."""
    of_recipe = measured["parts"][recipe]
    own = of_recipe["gradient"][0] + of_recipe["making"][0] + of_recipe["update"]
    return {ranks: own + (ranks - 1) * of_recipe["drawing"] + _sum(measured, recipe, link, ranks) for ranks in of_recipe["parts"]}


def _sum(measured, recipe, link, ranks):
    size = measured["2 ranks"][recipe]["bytes"]
    return link.allreduce(size, ranks, measured["parts"]["seconds_to_add_a_byte"])


def steps_table(measured: dict) -> list[str]:
    rows = []
    for recipe in measured[STEPS[0]]:
        alone = measured[STEPS[0]][recipe]["step"]
        for name in STEPS:
            found = measured[name][recipe]
            figures = [f"{1e3 * found[part]:.2f}" for part in ("making", "gradient", "waiting", "message", "update")]
            rows.append([recipe, name, *figures, f"{1e3 * found['step']:.1f}", f"{alone / found['step']:.2f}"])
    heads = ("recipe", "", "making", "gradient", "waiting", "message", "update", "a step", "times as fast")
    return _table(heads, rows)


def speedup_table(measured: dict) -> list[str]:
    rows = []
    for recipe in measured[STEPS[0]]:
        steps = {name: measured[name][recipe]["step"] for name in STEPS}
        rows += [[recipe, name, f"{1e3 * step:.1f}", f"{steps[STEPS[0]] / step:.2f}"] for name, step in steps.items()]
    return _table(("recipe", "processes", "step, ms", "speedup"), rows)


def messages_table(measured: dict) -> list[str]:
    adding, rows = measured["parts"]["seconds_to_add_a_byte"], []
    both = [(measured[name]["seconds"], links(measured)[link]) for name, link in LINK_OF.items()]
    for place, size in enumerate(measured["messages"]["bytes"]):
        figures = [f"{1e6 * each:,.0f}" for seconds, link in both for each in (seconds[place], link.allreduce(size, 2, adding))]
        rows.append([f"{size:,}", *figures])
    return _table(("bytes", "shared memory, µs", "model", "TCP, µs", "model"), rows)


def links_table(measured: dict) -> list[str]:
    rows = [
        [name, f"{1e6 * link.latency:.0f}", f"{8e-9 / link.per_byte:.1f}" if link.per_byte else "∞"]
        for name, link in links(measured).items()
    ]
    return _table(("", "latency, µs", "Gbit/s"), rows)


def overlap_table(measured: dict) -> list[str]:
    rows = []
    for name, link in (("overlap", "shared memory"), ("overlap over TCP", "TCP")):
        for recipe, ways in measured[name].items():
            rows.append([recipe, link, *(f"{1e3 * seconds:.1f}" for seconds in ways.values())])
    return _table(("recipe", "by", *measured["overlap"]["default"]), rows)


def strong_table(measured: dict) -> list[str]:
    rows = []
    for recipe in measured[STEPS[0]]:
        found = [strong(measured, recipe, link) for link in links(measured).values()]
        for ranks in found[0]:
            part = measured[STEPS[0]][recipe]["rows"] / ranks
            figures = [f"{1e3 * each[ranks]:.2f} ({each[1] / each[ranks]:.1f})" for each in found]
            rows.append([recipe, str(ranks), f"{part:.0f}", *figures])
    return _table(("recipe", "ranks", "pictures a rank", *links(measured)), rows)


def weak_table(measured: dict) -> list[str]:
    rows = []
    for recipe in measured[STEPS[0]]:
        found = [weak(measured, recipe, link) for link in links(measured).values()]
        rows += [[recipe, str(ranks), *(f"{each[1] / each[ranks]:.0%}" for each in found)] for ranks in found[0]]
    return _table(("recipe", "ranks", *links(measured)), rows)


def limits_table(measured: dict) -> list[str]:
    """The most ranks whose efficiency (speedup / ranks) is at least WORTH, by network and recipe, for a fixed batch."""
    recipes, rows = list(measured[STEPS[0]]), []
    for name, link in links(measured).items():
        found = [strong(measured, recipe, link) for recipe in recipes]
        rows.append([name, *(str(max(ranks for ranks in each if each[1] / each[ranks] >= WORTH * ranks)) for each in found)])
    return _table(("network", *recipes), rows)


def machine_line(document: dict) -> list[str]:
    machine = ", ".join(f"{name} {value}" for name, value in document["machine"].items())
    return [f"Measured on {document['date']}: {machine}."]


TABLES = {
    "steps": steps_table,
    "messages": messages_table,
    "links": links_table,
    "overlap": overlap_table,
    "strong": strong_table,
    "weak": weak_table,
    "limits": limits_table,
}
DOCUMENTED = {"speedup": speedup_table, "limits": limits_table}  # the other tables are printed only


def written(text: str, document: dict) -> str:
    """Return the text with new blocks between `<!-- distributed NAME -->` and `<!-- end -->`."""
    blocks = {"machine": machine_line(document)} | {name: table(document["measured"]) for name, table in DOCUMENTED.items()}
    for name, lines in blocks.items():
        pattern = re.compile(rf"(<!-- distributed {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f"the document has no block for the table {name}")
        block = "\n" + "".join(f"{line}\n" for line in lines) + "\n"
        text = pattern.sub(lambda found, block=block: found[1] + block + found[2], text)
    return text


def measure(ranks: int, shards: int, environment: dict[str, str], measured: str) -> dict:
    """Run one measurement in new processes."""
    program = [sys.executable, str(HERE / "distributed_rank.py"), measured, "--shards", str(shards)]
    command = [str(MPIRUN), "-n", str(ranks), *program] if ranks else [*program, "--alone"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"distributed: {' '.join(command)} ended with {done.returncode}: {done.stderr[-3000:]}")
    return json.loads(done.stdout)


def least(found: Sequence):
    """Return the minimum of each figure over measurements of the same structure."""
    first = found[0]
    if isinstance(first, dict):
        return {name: least([each[name] for each in found]) for name in first}
    if isinstance(first, list):
        return [least(each) for each in zip(*found, strict=True)]
    return min(found)


def _table(heads, rows):
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="only write the tables, from the last measurement")
    if not parser.parse_args(arguments).write:
        rounds = []
        for number in range(1, ROUNDS + 1):
            began = time.monotonic()
            rounds.append({name: measure(*how) for name, how in MEASUREMENTS.items()})
            print(f"distributed: round {number}, {time.monotonic() - began:.0f} s", file=sys.stderr)
        document = {"date": str(date.today()), "machine": bench.machine(), "measured": least(rounds)}
        RESULT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    document = json.loads(RESULT.read_text(encoding="utf-8"))
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), document), encoding="utf-8")
    for name, table in TABLES.items():
        print(f"\n{name}\n", *table(document["measured"]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
