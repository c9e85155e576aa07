"""Who draws on a running stack while its tests do something to it: one person after the other, or a crowd."""

import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

SCRIPT = Path(__file__).parent / "stack" / "crowd.lua"
DRAWING = {"strokes": [[[140, 40], [150, 240]]]}
PAUSE = 0.05  # seconds between two requests of the load
PAGE_PAUSE = 0.3  # seconds before the page repeats a question: PAUSE_MS in api.js


class Load:
    """A person draws and draws on the page. `answers`: (when, id); `failures`: (when, error).

    `repeated`: when a drawing was sent once more after a 502, as the page does. With `corrects` each answer gets feedback;
    `thanked` has the ids of the acknowledged ones.
    """

    def __init__(self, url: str, wait_until, corrects: bool = False):
        self.url, self.answers, self.failures, self.repeated = url, [], [], []
        self.thanked: list[str] = []
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
        """Feedback may be refused while Redis is away; what was thanked for must be there for good."""
        said = {"prediction_id": prediction_id, "actual_digit": 1}
        if httpx.post(f"{self.url}/feedback", json=said, timeout=10).status_code == 200:
            self.thanked.append(prediction_id)

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
class Found:
    """What a crowd was answered."""

    answers: dict[str, int] = field(default_factory=dict)  # how often each "version probabilities" came
    refused: Counter = field(default_factory=Counter)  # how often each "status, Retry-After and body" came
    failed: int = 0  # requests that were not answered at all
    rate: float = 0.0  # answers of whatever kind in a second
    p99: float = 0.0  # milliseconds

    @property
    def answered(self) -> int:
        return sum(self.answers.values())


@contextmanager
def wrk_load(wrk: str, url: str, seconds: int, connections: int, pause: float = 0.0, to_the_end: bool = True):
    """`with crowd(…) as found:` so many people draw at once for so many seconds, each again after a pause of so many milliseconds
    on the average; or, where not `to_the_end`, no longer than the block runs. Afterwards `found` has what came of it."""
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", SCRIPT]
    command = [wrk, *options, f"{url}/predict", "--", str(pause)]
    found = Found()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield found
        if not to_the_end:
            assert process.poll() is None, f"it was to draw all the while, but no longer than {seconds} s"
            process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=seconds + 60)
    assert process.returncode == 0
    for name, *rest in (line.split("\t") for line in said.splitlines() if "\t" in line):
        if name == "answered":
            found.answers[rest[1]] = int(rest[0])
        elif name == "refused":
            found.refused[rest[1]] = int(rest[0])
        else:
            setattr(found, name, float(rest[0]))
