"""rediss:// is Redis with TLS: nobody is believed to be the server whose certificate the system does not trust for that host."""

import subprocess
import traceback

import pytest
import redis
from stores.journal import JournalError

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory, require):
    """A folder with an authority, ca.pem, and what it signed: right.pem for 127.0.0.1 and localhost, wrong.pem for another."""
    openssl, folder = require("openssl"), tmp_path_factory.mktemp("certificates")

    def make(name, *options):
        command = [openssl, "req", "-x509", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem", *options]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    def make_signed(name, names):
        extensions = [f"subjectAltName={names}", "basicConstraints=CA:FALSE"]
        signed_by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", "/CN=redis"]
        make(name, *signed_by, *(option for extension in extensions for option in ("-addext", extension)))

    make("ca", "-subj", "/CN=an authority of the tests", "-addext", "keyUsage=critical,keyCertSign")
    make_signed("right", "IP:127.0.0.1,DNS:localhost")
    make_signed("wrong", "DNS:redis.example.org")
    return folder


@pytest.fixture
def start_with_tls(own_redis, certificates, free_port):
    """start_with_tls("right"): a Redis with that certificate. Returns its port with TLS; the other has none."""

    def start(name, **settings):
        port = free_port()
        files = {"tls_cert_file": certificates / f"{name}.pem", "tls_key_file": certificates / f"{name}.key"}
        own_redis.start(tls_port=port, tls_ca_cert_file=certificates / "ca.pem", tls_auth_clients="no", **files, **settings)
        return port

    return start


@pytest.fixture
def trust_it(monkeypatch, certificates):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates / "ca.pem"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_journal_by_tls_is_as_any_other(
    start_with_tls, trust_it, own_redis, open_journal_at, make_prediction, make_feedback, host
):
    port = start_with_tls("right", requirepass="a/b c")
    journal, prediction, feedback = open_journal_at(f"rediss://:a%2Fb%20c@{host}:{port}/0"), make_prediction(), make_feedback()
    journal.add_predictions([prediction])
    journal.add_feedback(feedback)
    assert (journal.recent_predictions(2), journal.feedback(2)) == ([prediction], [feedback])
    assert journal.durability().is_durable


def test_an_authority_that_the_system_does_not_know_is_not_trusted(start_with_tls, open_journal_at, make_feedback, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    port = start_with_tls("right")
    refusal = rf"^Redis at 127\.0\.0\.1:{port} has a certificate that cannot be trusted.*SSL_CERT_FILE.*certificate verify failed"
    with pytest.raises(JournalError, match=refusal):
        open_journal_at(f"rediss://127.0.0.1:{port}/0").add_feedback(make_feedback())


def test_a_certificate_for_another_host_is_not_trusted(start_with_tls, trust_it, open_journal_at, make_feedback):
    port = start_with_tls("wrong")
    for host in ("127.0.0.1", "localhost"):
        journal = open_journal_at(f"rediss://doodle:hush@{host}:{port}/0")
        with pytest.raises(JournalError, match=r"cannot be trusted: its host must be the one in the journal's URL") as refused:
            journal.add_feedback(make_feedback())
        assert "hush" not in "".join(traceback.format_exception(refused.value))


def test_the_password_does_not_reach_a_server_that_is_not_trusted(start_with_tls, trust_it, own_redis, open_journal_at):
    port = start_with_tls("wrong", requirepass="another")
    with pytest.raises(JournalError, match="cannot be trusted"):
        open_journal_at(f"rediss://:hush@127.0.0.1:{port}/0").summary()
    with redis.Redis.from_url(f"redis://:another@127.0.0.1:{own_redis.port}") as client:
        assert "errorstat_WRONGPASS" not in client.info("errorstats")


def test_a_server_without_tls_is_told_so(redis_server, trust_it, open_journal_at):
    with pytest.raises(JournalError, match=r"TLS.*\bredis://|\bredis:// without"):
        open_journal_at(redis_server.url.replace("redis://", "rediss://")).summary()


def test_a_server_that_wants_tls_is_told_so(start_with_tls, open_journal_at):
    port = start_with_tls("right")
    with pytest.raises(JournalError, match="rediss://"):
        open_journal_at(f"redis://127.0.0.1:{port}/0").summary()
