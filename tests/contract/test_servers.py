"""The services run on deployment's HTTP server."""

import importlib

import pytest
import uvicorn
from deployment.server import DrainingServer, TimedProtocol


@pytest.mark.parametrize(("service", "server_class"), [("frontend", uvicorn.Server), ("inference", DrainingServer)])
def test_service_uses_the_shared_server(service, server_class, monkeypatch, tmp_path):
    ran = []

    def run(server, sockets=None):
        server.started = True
        ran.append((type(server), server.config.http))

    program = importlib.import_module(f"{service}.__main__")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOODLE_PORT", "0")
    monkeypatch.setattr(uvicorn.Server, "run", run)
    for name in ("end_when_told_to", "log_to_stdout"):  # this process keeps its signal handlers and logging
        monkeypatch.setattr(program, name, lambda *_: None)
    assert not program.main()
    assert ran == [(server_class, TimedProtocol)]
