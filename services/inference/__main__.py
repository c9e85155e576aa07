"""Run the service: `python -m inference`."""

import sys

import uvicorn
from deployment.environment import read_or_exit
from deployment.process import end_when_told_to, log_to_stdout
from threadpoolctl import threadpool_limits

from inference.app import create_app
from inference.settings import Settings


def main() -> int:
    settings = read_or_exit("inference", Settings.from_environment)
    log_to_stdout(settings.log_level)
    end_when_told_to()  # not before uvicorn listens to signals, nor after, when it raises them once more, is that a failure
    # Threads of BLAS cost more than they give on one picture.
    with threadpool_limits(1, user_api="blas"):
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            ws="none",  # nothing here speaks it, and what would takes memory and time to start
            timeout_graceful_shutdown=5,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
