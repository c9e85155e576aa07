"""rediss:// connects with TLS and verifies the server's certificate for its host."""

import socket
import subprocess
import threading
import traceback

import pytest
import redis
from log_records import make_feedback, make_prediction
from stores.prediction_log import PredictionLogError


@pytest.fixture(scope="module")
def certificates(tmp_path_factory, require):
    """Make an authority, ca.pem, and two certificates: right.pem for this host, wrong.pem for another."""
    openssl, folder = require("openssl"), tmp_path_factory.mktemp("certificates")

    def make(name, *options):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        command = [openssl, "req", "-x509", "-days", "2", *key, "-out", f"{name}.pem", *options]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    make("ca", "-subj", "/CN=an authority of the tests", "-addext", "keyUsage=critical,keyCertSign")
    for name, hosts in (("right", "IP:127.0.0.1,DNS:localhost"), ("wrong", "DNS:redis.example.org")):
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=redis", "-addext", f"subjectAltName={hosts}"]
        make(name, *signed, "-addext", "basicConstraints=CA:FALSE")
    return folder


@pytest.fixture
def trust(monkeypatch, certificates):
    """trust(): make the system trust the authority."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    return lambda: monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))


@pytest.fixture
def start_with_tls(own_redis, certificates, free_port):
    """start_with_tls("right"): start a Redis with this certificate and return its TLS port."""

    def start(name, **settings):
        port = free_port()
        files = {"tls_cert_file": certificates / f"{name}.pem", "tls_key_file": certificates / f"{name}.key"}
        own_redis.start(tls_port=port, tls_ca_cert_file=certificates / "ca.pem", tls_auth_clients="no", **files, **settings)
        return port

    return start


def test_stores_records_with_a_trusted_certificate(start_with_tls, trust, open_at):
    port = start_with_tls("right", requirepass="a/b c")
    refusal = rf"^Redis at 127\.0\.0\.1:{port} cannot be reached.*SSL_CERT_FILE trusts.*certificate verify failed"
    with pytest.raises(PredictionLogError, match=refusal):
        open_at(f"rediss://:a%2Fb%20c@127.0.0.1:{port}/0").add_feedback(make_feedback())
    trust()
    prediction, feedback = make_prediction(), make_feedback()
    for host in ("127.0.0.1", "localhost"):
        log = open_at(f"rediss://:a%2Fb%20c@{host}:{port}/0")
        log.add_predictions([prediction])
        log.add_feedback(feedback)
        assert (log.recent_predictions(2), log.feedback(2)) == ([prediction], [feedback])
        assert log.durability().is_durable


def test_sends_no_password_to_a_host_with_a_wrong_certificate(start_with_tls, trust, own_redis, open_at):
    trust()
    port = start_with_tls("wrong", requirepass="another")
    for host in ("127.0.0.1", "localhost"):
        log = open_at(f"rediss://:hush@{host}:{port}/0")
        with pytest.raises(PredictionLogError, match=r"a certificate for that host.*certificate verify failed") as refused:
            log.summary()
        assert "hush" not in "".join(traceback.format_exception(refused.value))
    with redis.Redis.from_url(f"redis://:another@127.0.0.1:{own_redis.port}") as client:
        assert "errorstat_WRONGPASS" not in client.info("errorstats")


def test_error_names_the_side_without_tls(start_with_tls, own_redis, open_at, monkeypatch):
    port = start_with_tls("right")
    with pytest.raises(PredictionLogError, match="rediss://"):
        open_at(f"redis://127.0.0.1:{port}/0").summary()
    monkeypatch.setattr("stores.prediction_log.redis_connection.COMMAND_SECONDS", 0.2)  # some servers wait for a line's end
    with pytest.raises(PredictionLogError, match=r"TLS.*\bredis://|\bredis:// without"):
        open_at(own_redis.url.replace("redis://", "rediss://")).summary()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].sendall(b"-ERR no command\r\n")).start()
        with pytest.raises(PredictionLogError, match=r"URL \(redis:// without TLS"):
            open_at(f"rediss://127.0.0.1:{listener.getsockname()[1]}/0").summary()
