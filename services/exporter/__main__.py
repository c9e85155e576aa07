"""Run the exporter: `python -m exporter`. It uses the standard library's HTTP server, with one thread per request."""

import logging
import socket
import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

from deployment.process import end_when_told_to, log_to_stdout
from deployment.settings import read_or_exit

from exporter.app import create_app
from exporter.settings import Settings

log = logging.getLogger("exporter")


class RequestHandler(WSGIRequestHandler):
    timeout = 10.0  # seconds until the server drops a silent client

    def log_message(self, *_: object) -> None:
        """Log nothing, because Prometheus sends a request every few seconds."""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # do not wait for requests at shutdown

    def __init__(self, host: str, port: int, app: WSGIApplication):
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]  # a host may be an IPv6 address
        super().__init__((host, port), RequestHandler)
        self.set_app(app)


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
