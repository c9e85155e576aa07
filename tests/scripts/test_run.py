"""`make run` chooses its ports by .env and the environment, and names a port that is in use."""

import socket

import pytest


@pytest.fixture(scope="module")
def run(load_script):
    return load_script("scripts/run.py")


@pytest.fixture(autouse=True)
def folder(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("DOODLE_FRONTEND_PORT", "DOODLE_PORT", "DOODLE_EXPORTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_environment_outranks_the_file_and_the_file_the_defaults(run, folder, monkeypatch):
    (folder / ".env").write_text("DOODLE_PORT=7001\nDOODLE_EXPORTER_PORT=18001\nDOODLE_FRONTEND_PORT=\n")
    monkeypatch.setenv("DOODLE_PORT", "7002")
    assert run.ports() == {"DOODLE_FRONTEND_PORT": 3000, "DOODLE_PORT": 7002, "DOODLE_EXPORTER_PORT": 18001}


@pytest.mark.parametrize("port", ["0", "65536", "-1", "seven"])
def test_a_value_that_is_no_port_is_named_and_nothing_starts(run, monkeypatch, capsys, port):
    monkeypatch.setenv("DOODLE_PORT", port)
    monkeypatch.setattr(run.subprocess, "Popen", lambda *_: pytest.fail("it must not start"))
    assert run.main() == 1
    assert capsys.readouterr().err.startswith("Doodle: DOODLE_PORT: Input should be ")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_nothing_starts_beside_a_port_in_use_and_the_message_says_how_to_change_it(run, monkeypatch, capsys, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("DOODLE_PORT", str(port))
        monkeypatch.setattr(run.subprocess, "Popen", lambda *_: pytest.fail("it must not start"))
        assert run.main() == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert f"uses port {port}" in said
    assert f"DOODLE_PORT={port + 1} make run" in said
