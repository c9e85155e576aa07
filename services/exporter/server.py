"""The HTTP server: the standard library's for WSGI, with a thread for each request."""

import socket
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication


class RequestHandler(WSGIRequestHandler):
    timeout = 10.0  # seconds; then a silent client loses the connection

    def log_message(self, *_: object) -> None:
        """Log nothing: Prometheus asks every few seconds."""


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True  # a shutdown does not wait for requests

    def __init__(self, host: str, port: int, app: WSGIApplication):
        self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]  # a host may be an IPv6 address
        super().__init__((host, port), RequestHandler)
        self.set_app(app)
