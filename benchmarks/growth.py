"""Measure how cost grows with batches, images, drawings, threads, replicas and connections: `make growth`, five minutes

    python benchmarks/growth.py                  measures everything, writes results/growth.json and docs/images/growth-*.png
    python benchmarks/growth.py --only threads   measures curves with this text in their names, and prints them

Every point is the median of three rounds. A round measures all points of a curve before the next round begins, so that a short
load on the machine does not bend the curve. `exponent` is a curve's slope on logarithmic scales over its upper half: 1 for a
linear cost, 2 for a quadratic one.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import bench
import numpy as np
from digitnet.checkpoint import load
from digitnet.images.ink import image_from_pixels
from digitnet.images.normalize import in_unit_range
from digitnet.images.strokes import image_from_strokes
from digitnet.network import Network
from digitnet.optimizers import Adam
from digitnet.parallel import DataParallel
from digitnet.training import loss_and_gradients
from plan_threads import PlanThreads
from serving import Running, folder_with_bodies, free_port, wait_for
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent

ROUNDS = 3
SECONDS = 0.3  # length of a measurement
WARM_SECONDS, LOAD_SECONDS = 1.0, 3.0
IMAGES = HERE.parent / "docs" / "images"

Curve = dict[str, list[float]]  # x, and the values of each line


def seconds_of(work: Callable[[], object]) -> float:
    """Return the seconds of one call, after a call that warms it up."""
    work()
    times, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < SECONDS:
        work()
        times += 1
    return passed / times


def megabytes_of(work: Callable[[], object]) -> float:
    """Return the peak memory of Python and NumPy during a call, less the memory before."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def curve(points: Sequence[float], measure: Callable[[float], dict[str, float]], rounds: int = ROUNDS) -> Curve:
    """Return the median of the rounds of `measure` at each point."""
    found = [[measure(point) for point in points] for _ in range(rounds)]
    names = found[0][0]
    return {"x": list(points)} | {
        name: [statistics.median(one[place][name] for one in found) for place in range(len(points))] for name in names
    }


def exponent(xs: Sequence[float], costs: Sequence[float]) -> float:
    """Return the exponent of x in the cost, over the upper half of the points."""
    half = len(xs) // 2
    return float(np.polyfit(np.log(xs[half:]), np.log(costs[half:]), 1)[0])


class Sample:
    """The network of the recipe `default`, and MNIST."""

    def __init__(self, inputs: Path):
        self.inputs = inputs
        self.network, _ = load(inputs / "convolutional")
        self.images = in_unit_range(np.load(inputs / "pictures.npy"))
        self.labels = np.load(inputs / "labels.npy").astype(np.int64)

    def fresh(self) -> Network:
        """Return the network without the buffers of another batch."""
        return Network(self.network.specification, parameters=self.network.parameters.copy())


def training(sample: Sample) -> Curve:
    """Measure a training step by batch size."""

    def measure(size):
        network = sample.fresh()
        optimizer = Adam(network.parameters.size)
        images, labels = sample.images[: int(size)], sample.labels[: int(size)]

        def step():
            loss_and_gradients(network, images, labels)
            optimizer.update(network.parameters, network.gradients, 1e-3)

        megabytes = megabytes_of(step)
        return {"seconds": seconds_of(step), "megabytes": megabytes}

    return curve((1, 4, 16, 64, 128, 256, 512, 1024), measure)


def reading(sample: Sample) -> Curve:
    """Measure prediction by the number of images."""

    def measure(count):
        images = sample.images[: int(count)]
        with PlanThreads(sample.network, threads=2) as prepared:
            megabytes = megabytes_of(lambda: prepared.predict_logits(images))
            return {"seconds": seconds_of(lambda: prepared.predict_logits(images)), "megabytes": megabytes}

    return curve((2, 8, 32, 128, 512, 2048, 8192, 32768), measure)


def threads(sample: Sample) -> Curve:
    """Measure images a second by threads, in training with batches of 128, and in prediction of 512 at once."""

    def measure(count):
        network = sample.fresh()
        with DataParallel(network, int(count)) as parallel, PlanThreads(network, threads=int(count)) as prepared:
            step = seconds_of(lambda: parallel.loss_and_gradients(sample.images[:128], sample.labels[:128]))
            read = seconds_of(lambda: prepared.predict_logits(sample.images[:512]))
        return {"trained": 128 / step, "read": 512 / read}

    return curve((1, 2, 4), measure)


def strokes(_: Sample) -> Curve:
    """Measure rasterization of a spiral by its number of points; points closer than the pen can draw are skipped."""

    def measure(count):
        turn = np.linspace(0.0, 6.0 * np.pi, int(count))
        spiral = np.stack([140.0 + 5.0 * turn * np.cos(turn), 140.0 + 5.0 * turn * np.sin(turn)], axis=1).tolist()
        return {"seconds": seconds_of(lambda: image_from_strokes([spiral]))}

    return curve((20, 80, 320, 1280, 5120, 20000), measure)


def canvas(_: Sample) -> Curve:
    """Measure normalization of an image of a 0 by its number of pixels."""

    def measure(pixels):
        side = round(pixels**0.5)
        y, x = np.indices((side, side), np.float32) / side - 0.5
        ring = (np.abs(np.hypot(x, y) - 0.3) < 0.04).astype(np.uint8) * np.uint8(255)
        return {"seconds": seconds_of(lambda: image_from_pixels(ring))}

    return curve([side**2 for side in (28, 56, 140, 280, 560, 1120, 2240)], measure)


def connections(sample: Sample) -> Curve:
    """Measure answers a second and latency by the number of connections. Each repeats its request without a pause."""

    def measure(count):
        with _services(sample, 1) as (service,):
            service.load(WARM_SECONDS, 1)
            figures = service.load(LOAD_SECONDS, int(count))
        refused = figures["refused"] / LOAD_SECONDS
        return {
            "answered": figures["requests_per_second"] - refused,
            "refused": refused,
            "p50_ms": figures["p50_ms"],
            "p99_ms": figures["p99_ms"],
            "megabytes": figures["memory_under_load_mb"],
        }

    return curve((1, 2, 4, 8, 16, 32, 64, 128, 256, 512), measure)


def replicas(sample: Sample) -> Curve:
    """Measure answers a second through nginx by the number of replicas, each with its own prediction log."""

    def measure(count):
        with _services(sample, int(count)) as services, _nginx([service.port for service in services]) as port:
            services[0].url = f"http://127.0.0.1:{port}/predict"
            figures = services[0].load(LOAD_SECONDS, 16)
            megabytes = sum(service.memory() for service in services)
        return {"answered": figures["requests_per_second"], "p99_ms": figures["p99_ms"], "megabytes": megabytes}

    return curve((1, 2, 4), measure)


CURVES = {work.__name__: work for work in (training, reading, threads, strokes, canvas, connections, replicas)}
GROWING = {  # the curve and line of each cost that must grow at most linearly
    "time of a training step, by batch size": ("training", "seconds"),
    "memory of a training step, by batch size": ("training", "megabytes"),
    "time of predictions, by number of images": ("reading", "seconds"),
    "memory of predictions, by number of images": ("reading", "megabytes"),
    "time to rasterize strokes, by points": ("strokes", "seconds"),
    "time to normalize an image, by pixels": ("canvas", "seconds"),
    "median latency, by connections": ("connections", "p50_ms"),
    "memory of the service, by connections": ("connections", "megabytes"),
}


@contextlib.contextmanager
def _services(sample, count):
    with contextlib.ExitStack() as stack:
        services = []
        for _ in range(count):
            folder = stack.enter_context(folder_with_bodies(sample.inputs))
            running = Running("doodle", sys.executable, sample.inputs / "convolutional", folder, "vector")
            stack.callback(running.close)
            services.append(running)
        yield services


@contextlib.contextmanager
def _nginx(ports):
    """Yield the port of an nginx that balances over these ports, with a new connection each time, like the stack's."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name:
        temporary = "".join(f"{kind}_temp_path {name}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        servers = " ".join(f"server 127.0.0.1:{each};" for each in ports)
        (Path(name) / "nginx.conf").write_text(
            f"worker_processes 1; daemon off; pid {name}/pid; error_log {name}/errors;\n"
            "events { worker_connections 2048; }\n"
            f"http {{ access_log off; {temporary} client_body_buffer_size 128k; upstream replicas {{ {servers} }}\n"
            f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://replicas; proxy_http_version 1.1;"
            " proxy_set_header Connection close; } } }\n"
        )
        running = subprocess.Popen(["nginx", "-p", name, "-c", f"{name}/nginx.conf", "-e", f"{name}/errors"])
        try:
            wait_for(port, "nginx")
            yield port
        finally:
            running.terminate()
            running.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="only curves with this text in their names")
    only = parser.parse_args(arguments).only
    chosen = [name for name in CURVES if only in name]
    if not chosen:
        parser.error(f"--only matches no curve; the curves are {', '.join(CURVES)}")

    from bench_inputs import prepare  # imported late, so that --help is fast

    curves = {}
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name, threadpool_limits(1, user_api="blas"):
        prepare(Path(name))
        sample = Sample(Path(name))
        for name_of_curve in chosen:
            began = time.monotonic()
            curves[name_of_curve] = CURVES[name_of_curve](sample)
            print(f"growth: {name_of_curve}, {time.monotonic() - began:.0f} s", file=sys.stderr)
    exponents = {
        what: exponent(curves[name]["x"], curves[name][line]) for what, (name, line) in GROWING.items() if name in curves
    }
    document = {"date": str(date.today()), "machine": bench.machine(), "curves": curves, "exponents": exponents}
    if only:
        print(json.dumps(document, indent=2))
        return 0
    file = bench.RESULTS / "growth.json"
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return subprocess.run(
        [bench.python_of("matplotlib"), HERE / "peers" / "growth_plots.py", file, IMAGES], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
