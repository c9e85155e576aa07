"""Serve an app in this process with the services' own HTTP server."""

import socket
import threading
from contextlib import contextmanager

import uvicorn
from deployment.server import TimedProtocol


@contextmanager
def serving(app, port=0):
    """Serve the app on a thread and yield its address."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, http=TimedProtocol, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
