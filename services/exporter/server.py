"""The HTTP server: the standard library's for WSGI, with a thread for each request."""

import logging
import socket
import sys
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

log = logging.getLogger(__name__)


class RequestHandler(WSGIRequestHandler):
    timeout = 10.0  # seconds; then a silent client loses the connection

    def log_message(self, format: str, *args: Any) -> None:
        log.debug("event=request client=%s line=%r", self.client_address[0], format % args)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a shutdown does not wait for requests

    def __init__(self, host: str, port: int, app: WSGIApplication):
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]  # a host may be an IPv6 address
        super().__init__((host, port), RequestHandler)
        self.set_app(app)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a broken connection; the base class would print a traceback."""
        log.debug("event=connection_broken client=%s reason=%r", client_address[0], sys.exception())
