"""Run the service: `python -m inference`."""

import uvicorn
from deployment.process import end_when_told_to, log_to_stdout
from deployment.server import DrainingServer, TimedProtocol
from deployment.settings import read_or_exit
from threadpoolctl import threadpool_limits

from inference.app import create_app
from inference.settings import Settings

# A listener accepts one connection in each turn of the event loop (github.com/libuv/libuv/pull/3696). Behind nginx each request
# is a new connection, so 32 listeners on one socket serve a third more requests a second than one.
LISTENERS = 32


def main() -> None:
    settings = read_or_exit("inference", Settings)
    log_to_stdout(settings.log_level)
    end_when_told_to()  # uvicorn handles signals only while it serves, and raises them again at its end
    config = uvicorn.Config(
        create_app(settings),
        settings.host,
        settings.port,
        http=TimedProtocol,
        log_config=None,
        access_log=False,
        headers=[("X-Content-Type-Options", "nosniff")],
        ws="none",  # unused; it would take memory and time to start
        timeout_graceful_shutdown=5,
    )
    address = config.bind_socket()  # ends the process with an error if the port is taken
    # For one image, threads of BLAS cost more than they gain.
    with threadpool_limits(1, user_api="blas"):
        DrainingServer(config).run([address, *(address.dup() for _ in range(LISTENERS - 1))])


if __name__ == "__main__":
    main()
