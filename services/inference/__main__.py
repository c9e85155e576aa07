"""Run the service: `python -m inference`."""

import logging
import os
import signal
import sys

import uvicorn
from threadpoolctl import threadpool_limits

from inference.app import create_app
from inference.settings import Settings, SettingsError


def main() -> int:
    try:
        settings = Settings.from_environment(os.environ)
    except SettingsError as error:
        print(f"inference: {error}", file=sys.stderr)  # there is no log before there are settings
        return 2
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s",
        stream=sys.stdout,
    )
    # Being asked to stop is no failure: not before uvicorn listens to signals, nor after, when it raises them once more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    # Threads of BLAS cost more than they give on one picture.
    with threadpool_limits(1, user_api="blas"):
        uvicorn.run(
            create_app(settings),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
