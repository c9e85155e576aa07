"""The HTTP server: the standard library's for WSGI, a thread for each request, so that one slow scrape holds up no other."""

import logging
import socket
import sys
from collections.abc import Callable
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

log = logging.getLogger(__name__)


class RequestHandler(WSGIRequestHandler):
    timeout = 10.0  # seconds; who connects and says nothing loses the connection

    def log_message(self, format, *args):
        log.debug("event=request client=%s line=%r", self.client_address[0], format % args)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # who told us to end does not wait for requests under way

    def __init__(self, host: str, port: int, app: Callable):
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]  # a host may be an IPv6 address
        super().__init__((host, port), RequestHandler)
        self.set_app(app)

    def handle_error(self, request, client_address):
        """A connection that broke is no event here; the base class would print a traceback."""
        log.debug("event=connection_broken client=%s reason=%r", client_address[0], sys.exception())
