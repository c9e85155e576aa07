"""Load on a running stack: one client after another, or many at once with wrk."""

import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

SCRIPT = Path(__file__).parent / "stack" / "load.lua"
DRAWING = {"strokes": [[[140, 40], [150, 240]]]}
PAUSE = 0.05  # seconds between two requests of the load
PAGE_PAUSE = 0.3  # seconds before the page repeats a request


class Load:
    """One client that predicts in a loop while the block runs.

    `answers` holds (time, prediction id), `failures` (time, error), `repeated` the times of second requests after a 502.
    With `corrects` each answer gets feedback; `acknowledged` holds the ids of acknowledged feedback.
    """

    def __init__(self, url: str, wait_until, corrects: bool = False):
        self.url, self.answers, self.failures, self.repeated = url, [], [], []
        self.acknowledged: list[str] = []
        self._corrects = corrects
        self._wait_until = wait_until
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        while not self._stop.wait(PAUSE):
            try:
                answer = self._draw()
                if answer.status_code == 502:
                    self.repeated.append(time.monotonic())
                    time.sleep(PAGE_PAUSE)
                    answer = self._draw()
                answer.raise_for_status()
                self.answers.append((time.monotonic(), answer.json()["prediction_id"]))
                if self._corrects:
                    self._correct(answer.json()["prediction_id"])
            except httpx.HTTPError as error:
                self.failures.append((time.monotonic(), repr(error)))

    def _draw(self):
        return httpx.post(f"{self.url}/predict", json=DRAWING, timeout=10)

    def _correct(self, prediction_id):
        """Send feedback. The service may reject it while Redis is down, but must keep all that it acknowledges."""
        body = {"prediction_id": prediction_id, "actual_digit": 1}
        if httpx.post(f"{self.url}/feedback", json=body, timeout=10).status_code == 200:
            self.acknowledged.append(prediction_id)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def wait_for_answers(self, count: int) -> None:
        enough = len(self.answers) + count
        self._wait_until(lambda: len(self.answers) >= enough, f"{count} more answers")


@dataclass
class LoadResult:
    """Results of a wrk run."""

    answers: dict[str, int] = field(default_factory=dict)  # count by "version probabilities"
    refused: Counter = field(default_factory=Counter)  # count by "status Retry-After body"
    failed: int = 0  # requests without an answer
    rate: float = 0.0  # answers per second, of any status
    p99: float = 0.0  # milliseconds

    @property
    def answered(self) -> int:
        return sum(self.answers.values())


@contextmanager
def wrk_load(wrk: str, url: str, seconds: int, connections: int, pause: float = 0.0, to_the_end: bool = True):
    """Run wrk for `seconds`, or until the block ends if not `to_the_end`. Yield a LoadResult, which is filled at the end.

    `pause` is each client's mean pause between requests in milliseconds."""
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", SCRIPT]
    command = [wrk, *options, f"{url}/predict", "--", str(pause)]
    found = LoadResult()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield found
        if not to_the_end:
            assert process.poll() is None, f"wrk ended before the block, after {seconds} s"
            process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=seconds + 60)
    assert process.returncode == 0
    for name, *rest in (line.split("\t") for line in output.splitlines() if "\t" in line):
        if name == "answered":
            found.answers[rest[1]] = int(rest[0])
        elif name == "refused":
            found.refused[rest[1]] = int(rest[0])
        else:
            setattr(found, name, float(rest[0]))
