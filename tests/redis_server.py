"""A real Redis server, started as the stack starts it."""

import signal
import subprocess
import time

import pytest
import redis
from polling import PATIENCE
from processes import PROJECT, free_port, require
from redis.backoff import NoBackoff
from redis.retry import Retry

ALL_KEPT = {"appendonly": "yes", "appendfsync": "always"}  # Redis, as in the stack
START = ["sh", PROJECT / "services/redis/start.sh"]


class RedisServer:
    """redis-server in a process and folder of its own, on a free port, started as the stack starts it."""

    def __init__(self, executable, folder, port):
        self.folder, self.port, self.url = folder, port, f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0))
        self._executable, self.process = executable, None

    def start(self, *arguments, until_loaded=True, **settings):
        """`arguments` go on the command line as they are; `settings` by name, with _ for -."""
        named = {"save": "", **ALL_KEPT} | {name.replace("_", "-"): value for name, value in settings.items()}
        options = [text for name, value in named.items() for text in (f"--{name}", str(value))]
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--logfile", self.folder / "log"]
        self.process = subprocess.Popen([*START, self._executable, *where, *options, *arguments], cwd=self.folder)
        deadline = time.monotonic() + PATIENCE
        while not self._answers(until_loaded):
            assert self.process.poll() is None, f"redis-server ended by itself:\n{(self.folder / 'log').read_text()}"
            assert time.monotonic() < deadline, "redis-server does not answer"
            time.sleep(0.01)

    def _answers(self, until_loaded):
        try:
            return self.client.ping()
        except redis.exceptions.BusyLoadingError:
            return not until_loaded
        except redis.AuthenticationError:
            return True
        except redis.ConnectionError:
            return False

    def kill(self):
        """kill -9: nothing is flushed, nobody is told."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """From now on it accepts connections and requests but answers none."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def new_redis(tmp_path_factory):
    """new_redis(): a Redis server that is not running yet."""
    return lambda: RedisServer(require("redis-server"), tmp_path_factory.mktemp("redis"), free_port())


@pytest.fixture(scope="session")
def shared_redis(new_redis):
    server = new_redis()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(shared_redis):
    """A running Redis that is empty, with the settings of the stack. What a test does to it beyond writing, it does to all."""
    shared_redis.client.flushall()
    return shared_redis
