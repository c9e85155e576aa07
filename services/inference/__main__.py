"""Run the service: `python -m inference`."""

import logging
import socket
import sys

import uvicorn
from deployment.process import end_when_told_to, log_to_stdout
from deployment.server import DrainingServer, TimedProtocol
from deployment.settings import read_or_exit
from threadpoolctl import threadpool_limits

from inference.app import create_app
from inference.settings import Settings

log = logging.getLogger(__name__)

# A listening socket accepts one connection a turn of the event loop (github.com/libuv/libuv/pull/3696). Behind nginx each request
# is a new connection, so they would wait in the kernel, uncounted. Several listeners on the one socket accept as many a turn,
# which serves a third more requests a second.
LISTENERS = 32


def main() -> int:
    settings = read_or_exit("inference", Settings)
    log_to_stdout(settings.log_level)
    end_when_told_to()  # also before uvicorn handles signals, and after, when it raises them once more
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
            headers=[("X-Content-Type-Options", "nosniff")],  # with every response
            ws="none",  # unused; it would take memory and time to start
            timeout_graceful_shutdown=5,
        )
        DrainingServer(config).run([address, *(address.dup() for _ in range(LISTENERS - 1))])
    return 0


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket with this address, which does not listen yet."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of a process that ended a moment ago
    bound.bind((host, port))
    return bound


if __name__ == "__main__":
    sys.exit(main())
