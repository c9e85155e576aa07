"""Run the service: `python -m inference`."""

import logging
import socket
import sys

import uvicorn
from deployment.environment import read_or_exit
from deployment.process import end_when_told_to, log_to_stdout
from deployment.server import DrainingServer, TimedProtocol
from threadpoolctl import threadpool_limits

from inference.app import create_app
from inference.settings import Settings

log = logging.getLogger(__name__)

# A listening socket takes one new connection a turn of the event loop (github.com/libuv/libuv/pull/3696), and a turn answers all
# that was asked before it. Behind nginx each request is a new connection: they would wait outside, where nobody sees how many
# they are. So the one socket is listened to several times, which alone makes it a third more requests a second.
LISTENERS = 32


def main() -> int:
    settings = read_or_exit("inference", Settings.from_environment)
    log_to_stdout(settings.log_level)
    end_when_told_to()  # not before uvicorn listens to signals, nor after, when it raises them once more, is that a failure
    try:
        address = _bound(settings.host, settings.port)
    except OSError as error:
        log.error('event=not_started reason="cannot listen on %s port %d: %s"', settings.host, settings.port, error.strerror)
        return 1
    # Threads of BLAS cost more than they give on one image.
    with threadpool_limits(1, user_api="blas"):
        config = uvicorn.Config(
            create_app(settings),
            http=TimedProtocol,
            log_config=None,
            access_log=False,
            headers=[("X-Content-Type-Options", "nosniff")],  # with every answer, whoever makes it
            ws="none",  # nothing here speaks it, and what would takes memory and time to start
            timeout_graceful_shutdown=5,
        )
        DrainingServer(config).run([address, *(address.dup() for _ in range(LISTENERS - 1))])
    return 0


def _bound(host: str, port: int) -> socket.socket:
    """A socket that has this address, and does not listen yet."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of what ended a moment ago
    bound.bind((host, port))
    return bound


if __name__ == "__main__":
    sys.exit(main())
