"""Run the page's two servers, the Python one and nginx with the project's nginx.conf, before test services."""

import importlib
import os
import signal
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from app_server import serving
from polling import eventually
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

create_page = importlib.import_module("frontend.__main__").create_app
FRONTEND = Path(__file__).parents[2] / "services" / "frontend"
NO_RATES = [("rate=2r/s", "rate=1000r/s"), ("rate=5r/s", "rate=1000r/s")]  # for many large bodies from one address


async def echo(request):
    """Answer with the request's method, path, body and headers."""
    query = request.url.query
    seen = {
        "method": request.method,
        "path": request.scope["raw_path"].decode() + (f"?{query}" if query else ""),
        "body": (await request.body()).decode("latin1"),
        "headers": dict(request.headers),
    }
    return JSONResponse(seen, 422 if request.url.path == "/refuse" else 200, headers={"Retry-After": "5"})


async def refuse_unread(_):
    """Answer before reading the request."""
    return JSONResponse({"detail": "No model yet"}, 503, headers={"Retry-After": "5"})


ECHO = Starlette(
    routes=[
        Route("/explain", refuse_unread, methods=["POST"]),
        Route("/{path:path}", echo, methods=["GET", "POST", "DELETE", "OPTIONS"]),
    ]
)


@dataclass(frozen=True)
class Nginx:
    """A running nginx."""

    page: str  # URL of its port 3000
    api: str  # URL of its port 7000
    log: Path

    def logged(self, text, count=1):
        """Return the log lines with this text, once there are `count`: nginx logs after it answers."""

        def lines():
            found = [line for line in self.log.read_text().splitlines() if text in line]
            return found if len(found) >= count else None

        return eventually(lines, f"the log has {count} lines with {text!r}", seconds=10)


@pytest.fixture(scope="session")
def nginx(require, free_port, wait_for, tmp_path_factory):
    """Return a function that starts nginx with the project's start.sh and nginx.conf, on free ports and in a temporary folder.

    `origins` is DOODLE_CORS_ORIGINS. `room` limits the folder of unfinished bodies, in bytes.
    """

    @contextmanager
    def start(inference, resolver="127.0.0.1:1", changes=(), origins="", room=None):
        require("nginx")
        folder = tmp_path_factory.mktemp("nginx")
        page, api = free_port(), free_port()
        configuration = (FRONTEND / "nginx.conf").read_text()
        for old, new in [
            ("/tmp/", f"{folder}/"),  # first, because other paths may contain it
            ("listen 3000;", f"listen 127.0.0.1:{page};"),
            ("listen 7000;", f"listen 127.0.0.1:{api};"),
            ("/srv/page", str(FRONTEND)),
            ("default inference:7000;", f"default {inference};"),
            ("resolver 127.0.0.11 ", f"resolver {resolver} "),
            *changes,
        ]:
            assert old in configuration, f"nginx.conf has no {old!r}"
            configuration = configuration.replace(old, new)
        if os.geteuid() == 0:  # otherwise workers run as nobody, who cannot read the folder
            configuration = "user root;\n" + configuration
        (folder / "nginx.conf").write_text(configuration)
        (folder / "start.sh").write_text((FRONTEND / "start.sh").read_text().replace("/tmp/", f"{folder}/"))
        running = Nginx(f"http://127.0.0.1:{page}", f"http://127.0.0.1:{api}", folder / "log")
        command = ["sh", folder / "start.sh", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        if room is not None:
            unshare = [require("unshare"), "--mount"]
            if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
                pytest.skip("only root may mount a folder of limited size")
            (folder / "client_body").mkdir()
            mount = f'mount -t tmpfs -o size={room} tmpfs "{folder}/client_body" && exec "$@"'
            command = [*unshare, "sh", "-c", mount, "sh", *command]
        environment = {**os.environ, "DOODLE_CORS_ORIGINS": origins}
        with running.log.open("w") as log, (folder / "errors").open("w") as errors:
            process = subprocess.Popen(command, stdout=log, stderr=errors, env=environment)
        try:
            wait_for(f"{running.page}/healthz", process=process)
            yield running
            process.send_signal(signal.SIGQUIT)
            assert process.wait(timeout=10) == 0
        finally:
            if process.poll() is None:
                process.terminate()  # a killed master would leave its workers running
                process.wait()
            if process.returncode != 0:
                print((folder / "errors").read_text())

    return start


@pytest.fixture(scope="session")
def api():
    """Run the echo service and yield its address."""
    with serving(ECHO) as address:
        yield address


@pytest.fixture(scope="session", params=["python", "nginx"])
def start_page(request, service, free_port, nginx):
    """Return a function that starts one of the page's servers before a service and yields a client."""

    @contextmanager
    def start(inference, as_process=False):
        with ExitStack() as closing:
            if request.param == "nginx":
                address = closing.enter_context(nginx(inference, changes=NO_RATES)).page
            elif as_process:
                address = f"http://127.0.0.1:{(port := free_port())}"
                environment = {"DOODLE_FRONTEND_PORT": port, "DOODLE_API_URL": f"http://{inference}"}
                closing.enter_context(service("frontend", environment, address))
            else:
                address = f"http://{closing.enter_context(serving(create_page(f'http://{inference}')))}"
            yield closing.enter_context(httpx.Client(base_url=address))

    return start
