"""Where a candidate is tried: in the stack that is in reach, and where none is, in a service of our own until the end."""

import fcntl
import importlib.util
import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from digitnet.checkpoint import load_card, write_atomically
from stores.models import CANDIDATE, StoreError
from stores.models.folder import FolderModels

from trainer.release.api import Api

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 20.0  # a stack's trainer looks once a second, and so does each replica
START_SECONDS = 60.0  # for a service of our own; only one that is broken takes as long
LOOK_SECONDS = 0.2


class TrialError(ValueError):
    """The candidate cannot be tried anywhere; the message says why."""


class OwnService:
    """A service that we start, with a model store of its own, and that goes on when the stage that started it ends.

    It holds a lock for as long as it lives. So whoever comes later knows whether it is still there, and that the process
    whose number is written down is the one that was started, and not another that got the number since.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._lock, self._about, self._log = folder / "lock", folder / "service.json", folder / "service.log"

    @property
    def api(self) -> Api | None:
        """None where it does not run."""
        return Api(self._read()["url"]) if self._runs() else None

    def start(self, candidate: Path, live: Path) -> Api:
        """With the model in `candidate`, and as what is live the one in `live`, where there is one."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
        models = FolderModels(self._folder.resolve() / "models")
        if live.exists():
            try:
                models.promote(models.publish(live)["version"])
            except StoreError as error:
                log.warning("there is nothing to compare with: %s", error)
        models.point(CANDIDATE, models.publish(candidate)["version"])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        where = {
            "DOODLE_HOST": "127.0.0.1",
            "DOODLE_PORT": str(port),
            "DOODLE_MODELS": str(models),
            "DOODLE_JOURNAL": f"sqlite:///{self._folder.resolve()}/journal.sqlite",
            "DOODLE_LOG_LEVEL": "warning",
            "DOODLE_API_KEY": "",  # only this machine reaches it, for as long as a test takes
        }
        with self._lock.open("wb") as lock, self._log.open("wb") as output:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = subprocess.Popen(
                [sys.executable, "-m", "inference"], env=os.environ | where, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, pass_fds=[lock.fileno()],
            )  # fmt: skip
            about = {"pid": process.pid, "url": f"http://127.0.0.1:{port}"}
            write_atomically(self._about, json.dumps(about).encode())
        api = Api(about["url"])
        if not until(lambda: process.poll() is not None or api.is_up, START_SECONDS) or process.poll() is not None:
            self.stop()
            raise TrialError(f"a service to try the candidate in does not start; {self._log} says why")
        return api

    def stop(self) -> None:
        """End it, if it runs."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self._runs():
                return
            os.kill(self._read()["pid"], number)
            until(lambda: not self._runs())

    def _read(self):
        return json.loads(self._about.read_bytes())

    def _runs(self):
        try:
            with self._lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return self._about.exists()
        return False


def put_up(stack: Api, own: OwnService, candidate: Path, live: Path) -> Api:
    """The service that has the model in the folder `candidate` as its candidate, in every replica.

    That is the stack, whose trainer takes up what appears in that folder, where one is in reach; else a service of our own.
    TrialError if it can be neither.
    """
    version = load_card(candidate)["version"]
    running = own.api
    if running is not None and running.serves(CANDIDATE, version, times=1):
        return running
    own.stop()
    if stack.is_up:
        if until(lambda: stack.serves(CANDIDATE, version)):
            log.info("%s is the candidate of %s", version, stack.url)
            return stack
        problem = (
            f"{stack.url} has not taken up {version} in {PATIENCE_SECONDS:.0f} s (another folder's stack, or no trainer there)"
        )
    else:
        problem = f"nobody answers at {stack.url}"
    if importlib.util.find_spec("inference") is None:
        raise TrialError(f"{problem}, and there is no service here that could be started: bring the stack up, then try again")
    api = own.start(candidate, live)
    log.info("%s; so %s is the candidate of a service of our own, %s", problem, version, api.url)
    return api


def until(condition: Callable[[], bool], seconds: float | None = None) -> bool:
    """Whether it comes true within so many seconds, PATIENCE_SECONDS where none are named."""
    deadline = time.monotonic() + (PATIENCE_SECONDS if seconds is None else seconds)
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return met
