"""One server under load, for bench.py: start the server, and for each line of input print a line of JSON with figures.

    python benchmarks/serving.py NAME PYTHON INPUTS [--body vector] [--seconds 4] [--connections 16] [--start]

NAME is a key of SERVERS, PYTHON the interpreter of its environment, INPUTS the folder from bench_inputs.py. All servers have the
same network. With --start, each line restarts the server and measures the time.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
BATCH = 64  # images of the body "batch"
START_SECONDS = 60.0  # the longest wait for a server
LUA = """
function init(args)
   local file = assert(io.open(args[1], "rb"))
   wrk.method, wrk.body = "POST", file:read("*a")
   wrk.headers["Content-Type"] = args[2]
   if args[3] then wrk.headers["Inference-Header-Content-Length"] = args[3] end
end
"""


@dataclass(frozen=True)
class Server:
    """The command and the paths of a server."""

    command: tuple[str, ...]  # {python}, {bin}, {port} and {folder} are filled in
    paths: dict[str, str]  # kind of body -> path
    environment: dict[str, str] = field(default_factory=dict)
    redis: bool = False  # it logs predictions to Redis


SERVERS = {
    "doodle": Server(
        ("{python}", "-m", "inference"),
        {"vector": "/predict", "strokes": "/predict", "png": "/predict", "batch": "/v2/models/doodle/infer"},
        {"DOODLE_PORT": "{port}", "DOODLE_MODELS": "{folder}/store", "DOODLE_JOURNAL": "redis://127.0.0.1:{redis}/0"},
        redis=True,
    ),
    "fastapi": Server(
        ("{python}", "-m", "uvicorn", "fastapi_app:app", "--port", "{port}", "--no-access-log", "--log-level", "warning"),
        {"vector": "/predict", "strokes": "/predict/strokes", "png": "/predict/png"},
    ),
    "bentoml": Server(
        ("{python}", "-m", "bentoml", "serve", "bentoml_service:Digits", "--host", "127.0.0.1", "--port", "{port}"),
        {"vector": "/predict"},
        {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": "{folder}/bentoml"},
    ),
    "litserve": Server(("{python}", "litserve_app.py", "{port}"), {"vector": "/predict"}),
    "mlserver": Server(("{bin}/mlserver", "start", "{folder}/mlserver"), {"v2": "/v2/models/digits/infer"}),
}


class Running:
    """A running server, with the memory of its processes."""

    def __init__(self, name: str, python: str, model: Path, folder: Path, body: str):
        server = SERVERS[name]
        if name == "mlserver":
            body = "v2"
        self.port = free_port()
        words = {"python": python, "bin": str(Path(python).parent), "port": str(self.port), "folder": str(folder), "redis": ""}
        self._redis = None
        if server.redis:
            words["redis"] = str(free_port())
            self._redis = start_redis(words["redis"], folder)
        prepare(name, model, folder, self.port)
        environment = {key: value for key, value in os.environ.items() if not key.startswith("DOODLE_")}
        environment |= {key: value.format(**words) for key, value in server.environment.items()}
        environment |= {"DOODLE_BENCH_MODEL": str(model), "OPENBLAS_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join((str(HERE / "peers"), str(PROJECT / "packages"), str(PROJECT / "services")))
        self.file, self.content_type = folder / f"{body}.body", "image/png" if body == "png" else "application/json"
        self.images, self.headers = 1, {"Content-Type": self.content_type}
        if body == "batch":  # of the Open Inference Protocol: JSON, then the images as bytes
            self.images, json_bytes = BATCH, self.file.stat().st_size - BATCH * 28 * 28
            self.headers["Inference-Header-Content-Length"] = str(json_bytes)
        self.url = f"http://127.0.0.1:{self.port}{server.paths[body]}"
        began = time.perf_counter()
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [word.format(**words) for word in server.command],
            cwd=HERE / "peers", env=environment, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            self._wait(folder / "log")
        except BaseException:
            self.close()
            raise
        self.start_seconds = time.perf_counter() - began

    def _wait(self, log: Path) -> None:
        """Wait until the server has answered a drawing."""
        content, deadline = self.file.read_bytes(), time.monotonic() + START_SECONDS
        while True:
            try:
                answer = httpx.post(self.url, content=content, headers=self.headers, timeout=10, trust_env=False)
                if answer.is_success:
                    return
                said = f"{answer.status_code}: {answer.content[:500]!r}"  # MLServer answers 400 until its model is ready
            except httpx.TransportError as error:
                said = str(error)
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.url} does not answer ({said}): {log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.01)

    def load(self, seconds: float, connections: int) -> dict[str, float]:
        """Run wrk on one thread; return requests and images a second, rejected requests, percentiles, and memory before and
        at its peak."""
        rest = self.memory()
        most, stop = [rest], threading.Event()

        def watch() -> None:
            while not stop.wait(0.25):
                most.append(self.memory())

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
                script.write(LUA)
                script.flush()
                wrk = f"wrk -t1 -c{connections} -d{seconds:g}s --timeout 10s --latency -s".split()
                said = subprocess.run(
                    [*wrk, script.name, self.url, "--", self.file, *self.headers.values()],
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
        finally:
            stop.set()
            watching.join()
        if "Socket errors" in said:
            raise SystemExit(f"some requests failed: {said}")
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        refusals, rate = float(refused[1]) if refused else 0.0, float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
        return {
            "refused": refusals,
            "requests_per_second": rate,
            "images_per_second": (rate - refusals / seconds) * self.images,
            "p50_ms": milliseconds(re.search(r"50%\s+([\d.]+)(us|ms|s)", said)),
            "p99_ms": milliseconds(re.search(r"99%\s+([\d.]+)(us|ms|s)", said)),
            "memory_at_rest_mb": rest,
            "memory_under_load_mb": max(most),
        }

    def memory(self) -> float:
        """Return the MB of all processes together, with shared memory counted once (PSS)."""
        total = 0
        for process in family(self.process.pid):
            with contextlib.suppress(OSError):
                total += int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{process}/smaps_rollup").read_text(), re.MULTILINE)[1])
        return total / 1e3

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 15)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)  # processes that it left running
        if self._redis is not None:
            self._redis.kill()
            self._redis.wait()
        self._log.close()


def family(pid: int) -> Iterator[int]:
    """Return the process and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                yield from family(int(child))


def milliseconds(found: re.Match) -> float:
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_redis(port: str, folder: Path) -> subprocess.Popen:
    """Yield the port of a Redis with the stack's settings."""
    data = folder / "redis"
    data.mkdir(exist_ok=True)
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", data, "--save", "", "--appendonly", "yes"]
    started = subprocess.Popen([*command, "--appendfsync", "always"], stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(int(port), "redis-server")
    return started


def wait_for(port: int, what: str) -> None:
    """Wait until a server listens on the port. SystemExit if none does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise SystemExit(f"{what} does not answer")


@contextlib.contextmanager
def folder_with_bodies(inputs: Path) -> Iterator[Path]:
    """Yield a temporary folder for one server, with the inputs of bench.py."""
    with tempfile.TemporaryDirectory(prefix="doodle-bench-") as name:
        shutil.copytree(inputs / "bodies", name, dirs_exist_ok=True)
        yield Path(name)


def prepare(name: str, model: Path, folder: Path, port: int) -> None:
    """Write the files that a server needs at its start."""
    if name == "doodle":
        from stores.models import LIVE, open_models

        store = open_models(str(folder / "store"))
        if store.alias(LIVE) is None:
            store.point(LIVE, store.publish(model)["version"])
    if name == "mlserver":
        settings = folder / "mlserver"
        settings.mkdir(exist_ok=True)
        ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
        # Without worker processes, which are slower and do not start with this version of uvloop.
        (settings / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "debug": False, "parallel_workers": 0} | ports))
        (settings / "model-settings.json").write_text(json.dumps({"name": "digits", "implementation": "mlserver_runtime.Digits"}))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SERVERS)
    parser.add_argument("python", help="the interpreter of the server's environment")
    parser.add_argument("inputs", type=Path, help="the folder that bench.py prepares")
    parser.add_argument("--network", default="convolutional", help="one of params.yaml")
    parser.add_argument("--body", default="vector", help="vector, strokes, png or batch")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of each load")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--start", action="store_true", help="measure only the start")
    chosen = parser.parse_args()
    with folder_with_bodies(chosen.inputs) as folder:
        arguments = (chosen.name, chosen.python, chosen.inputs / chosen.network, folder, chosen.body)
        running = None if chosen.start else Running(*arguments)
        try:
            print("ready", flush=True)
            for _ in sys.stdin:
                if chosen.start:
                    started = Running(*arguments)
                    started.close()
                    figures = {"start_seconds": started.start_seconds}
                else:
                    figures = running.load(chosen.seconds, chosen.connections)
                    if figures["refused"]:
                        raise SystemExit(f"{figures['refused']:.0f} requests were refused")
                print(json.dumps(figures), flush=True)
        finally:
            if running is not None:
                running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
