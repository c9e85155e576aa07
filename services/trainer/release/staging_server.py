"""A staging server: an inference service for a candidate that no running stack serves."""

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from digitnet.checkpoint import write_atomically

from trainer.release.api import Api, ReleaseError, poll

START_SECONDS, STOP_SECONDS = 60.0, 20.0  # a sound service is faster


class StagingServer:
    """`python -m inference` on a free port, until a later stage stops it.

    It holds a lock while it runs, so the later stage knows that the process id is still its own.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock, self._about, self._log = folder / "lock", folder / "service.json", folder / "service.log"

    @property
    def api(self) -> Api | None:
        """The server's API, None if it does not run."""
        about = self._running()
        return None if about is None else Api(about["url"])

    def start(self, models: str) -> Api:
        """Start the server on the model store at this URL."""
        if importlib.util.find_spec("inference") is None:
            raise ReleaseError("the inference service is not installed here: start the stack, then try again")
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        # It needs no API key: only this machine can reach it.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOODLE_")} | {
            "DOODLE_HOST": "127.0.0.1",
            "DOODLE_PORT": str(port),
            "DOODLE_MODELS": models,
            "DOODLE_JOURNAL": f"sqlite:///{self._folder.resolve()}/journal.sqlite",
            "DOODLE_LOG_LEVEL": "warning",
        }
        with self._lock.open("wb") as lock, self._log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "inference"], env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, pass_fds=[lock.fileno()],
            )  # fmt: skip
            about = {"pid": process.pid, "url": f"http://127.0.0.1:{port}"}
            write_atomically(self._about, json.dumps(about).encode())
            fcntl.flock(lock, fcntl.LOCK_EX)  # the server inherits the open file and its lock
        api = Api(str(about["url"]))
        if not poll(lambda: process.poll() is not None or api.is_up, START_SECONDS) or process.poll() is not None:
            self.stop()
            raise ReleaseError(f"the staging server does not start: read {self._log}")
        return api

    def stop(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if (about := self._running()) is not None:
                os.kill(about["pid"], number)
                poll(lambda: self._running() is None, STOP_SECONDS)

    def _running(self) -> Any | None:
        """Return the process id and URL of the server that holds the lock."""
        try:
            with self._lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return json.loads(self._about.read_bytes())
        except FileNotFoundError:
            pass
        return None
