"""Run the programs of the Procfile, and print their addresses once they listen: `make run`.

.env sets the ports for the programs (honcho reads it) and for this script.
"""

import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import Annotated

from deployment.settings import ServiceSettings, SettingsError, read_settings
from pydantic import Field

POLL_SECONDS = 0.1
ListeningPort = Annotated[int, Field(ge=1, le=65535)]  # not 0: this script waits for the port


class Ports(ServiceSettings):
    """The ports of the Procfile's programs."""

    frontend_port: ListeningPort = 3000
    port: ListeningPort = 7000
    exporter_port: ListeningPort = 18000


def ports() -> dict[str, int]:
    """Return the port of each variable. SettingsError for a value that is no port."""
    return {f"DOODLE_{name.upper()}": port for name, port in read_settings(Ports, _env_file=".env")}


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
    try:
        chosen = ports()
    except SettingsError as error:
        print(f"Doodle: {error}", file=sys.stderr)
        return 1
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
