"""Run the exporter: `python -m exporter`."""

import logging
import sys

from deployment.process import end_when_told_to, log_to_stdout
from deployment.settings import read_or_exit

from exporter.app import create_app
from exporter.server import Server
from exporter.settings import Settings

log = logging.getLogger("exporter")


def main() -> None:
    end_when_told_to()
    settings = read_or_exit("exporter", Settings)
    log_to_stdout(settings.log_level)
    try:
        server = Server(settings.host, settings.port, create_app(settings))
    except OSError as error:
        sys.exit(f"exporter: cannot listen on {settings.host} port {settings.port}: {error.strerror}")
    with server:
        log.info("event=listening host=%s port=%d", settings.host, server.server_port)
        server.serve_forever()


if __name__ == "__main__":
    main()
