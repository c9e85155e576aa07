"""Run the exporter: `python -m exporter`."""

import logging
import os
import signal
import sys

from exporter.app import create_app
from exporter.server import Server
from exporter.settings import Settings, SettingsError

log = logging.getLogger("exporter")


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM):  # being asked to stop is no failure
        signal.signal(number, lambda *_: sys.exit(0))
    try:
        settings = Settings.from_environment(os.environ)
        app = create_app(settings)
    except SettingsError as error:
        print(f"exporter: {error}", file=sys.stderr)  # there is no log before there are settings
        return 2
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="time=%(asctime)s level=%(levelname)s logger=%(name)s %(message)s",
        stream=sys.stdout,
    )
    try:
        server = Server(settings.host, settings.port, app)
    except OSError as error:
        log.error("event=cannot_listen host=%s port=%d reason=%r", settings.host, settings.port, error.strerror)
        return 1
    with server:
        log.info("event=listening host=%s port=%d", settings.host, server.server_port)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
