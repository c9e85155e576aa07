"""Run the programs of the Procfile, and print their addresses once they listen: `make run`.

.env sets the ports for the programs (honcho reads it) and for this script.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

from dotenv import dotenv_values

PORTS = {"DOODLE_FRONTEND_PORT": 3000, "DOODLE_PORT": 7000, "DOODLE_EXPORTER_PORT": 18000}
POLL_SECONDS = 0.1


def ports() -> dict[str, int]:
    """Return the port of each variable. SystemExit for a value that is no port."""
    values = dotenv_values(".env") | dict(os.environ)
    found = {name: values.get(name) or str(default) for name, default in PORTS.items()}
    for name, text in found.items():
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            sys.exit(f"Doodle: {name} must be a port, from 1 to 65535, not {text!r}")
    return {name: int(text) for name, text in found.items()}


def listens(port: int) -> bool:
    """Return whether a program listens on this port of this machine, by IPv4 or IPv6: a browser tries both for localhost."""
    for host in ("127.0.0.1", "::1"):
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return True
    return False


def announce(frontend: int, api: int, exporter: int) -> None:
    while not all(map(listens, (frontend, api, exporter))):
        time.sleep(POLL_SECONDS)
    print(f"Doodle: draw at http://localhost:{frontend}. The API listens on port {api},", flush=True)
    print(f"        metrics of model and prediction log are on port {exporter}. Ctrl-C ends Doodle.", flush=True)


def main() -> int:
    chosen = ports()
    for name, port in chosen.items():
        if listens(port):
            hint = " (on macOS: AirPlay Receiver, perhaps)" if port == 7000 else ""
            message = f"Doodle: another program uses port {port}{hint}. Choose another port: {name}={port + 1} make run"
            print(message, file=sys.stderr)
            return 1
    honcho = subprocess.Popen([sys.executable, "-m", "honcho", "--no-prefix", "start"])
    # A terminal sends Ctrl-C to honcho too. This script waits until honcho has ended its programs.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: honcho.terminate())
    threading.Thread(target=announce, args=chosen.values(), daemon=True).start()
    code = honcho.wait()
    return 0 if code in (130, 143) else code


if __name__ == "__main__":
    sys.exit(main())
