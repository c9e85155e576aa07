"""Run a real Redis server with the stack's settings."""

import signal
import subprocess
import time

import pytest
import redis
from polling import WAIT_SECONDS
from processes import PROJECT, free_port, require
from redis.backoff import NoBackoff
from redis.retry import Retry

DURABLE = {"appendonly": "yes", "appendfsync": "always"}  # Redis, as in the stack
START = ["sh", PROJECT / "services/redis/start.sh"]


class RedisServer:
    """redis-server on a free port, in its own folder, started by the stack's script."""

    def __init__(self, executable, folder, port):
        self.folder, self.port, self.url = folder, port, f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis(port=port, protocol=2, retry=Retry(NoBackoff(), 0))
        self._executable, self.process = executable, None

    def start(self, *arguments, until_loaded=True, **settings):
        """Start it with command-line `arguments` and `settings`, whose names have _ for -."""
        named = {"save": "", **DURABLE} | {name.replace("_", "-"): value for name, value in settings.items()}
        options = [text for name, value in named.items() for text in (f"--{name}", str(value))]
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--logfile", self.folder / "log"]
        self.process = subprocess.Popen([*START, self._executable, *where, *options, *arguments], cwd=self.folder)
        deadline = time.monotonic() + WAIT_SECONDS
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
        """Kill it with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def pause(self):
        """Stop it with SIGSTOP: it accepts connections but does not answer."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
def new_redis(tmp_path_factory):
    """new_redis(): return a Redis server that is not running yet."""
    return lambda: RedisServer(require("redis-server"), tmp_path_factory.mktemp("redis"), free_port())


@pytest.fixture(scope="session")
def shared_redis(new_redis):
    server = new_redis()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_server(shared_redis):
    """Return a running, empty Redis. All tests share it, so a test must not change its settings."""
    shared_redis.client.flushall()
    return shared_redis
