"""Errors of an object store are short, explain the cause and show no key."""

import http.server
import logging
import os
import threading
import time
import traceback

import pytest
from botocore.config import Config
from stores.models import CANDIDATE, LIVE, StoreError, UnreachableError, open_models, s3_bucket

SECRETS = ("AKIASECRETKEYID", "the-secret-itself", "endpoint-password")
VERSION = "0647f3f72a49"
NOT_S3 = "does not answer like S3: check AWS_ENDPOINT_URL"


def error(code, message="no"):
    text = f"<Code>{code}</Code><Message>{message} {SECRETS[0]}</Message><AWSAccessKeyId>{SECRETS[0]}</AWSAccessKeyId>"
    return f"<Error>{text}</Error>"


ANSWERS = {
    "unknown keys": (403, error("InvalidAccessKeyId"), "has no usable credentials: set AWS_ACCESS_KEY_ID"),
    "keys that may not": (
        403,
        error("AccessDenied"),
        "forbidden to these .* s3:GetObject .* publishing s3:PutObject",
    ),
    "a 403 that says nothing": (403, "", "is forbidden to these credentials"),
    "no such bucket": (404, error("NoSuchBucket"), "the bucket does not exist. Create it, or correct the URL"),
    "a clock that is wrong": (403, error("RequestTimeTooSkewed"), r"fails \(it answered RequestTimeTooSkewed\)"),
    "another region": (400, error("AuthorizationHeaderMalformed"), "is in another region: set AWS_DEFAULT_REGION"),
    "a web server that sends everybody elsewhere": (301, "", NOT_S3),
    "an error of the server's": (500, error("InternalError"), r"fails \(it answered InternalError\)"),
    "a web server without such a page": (404, "<html>Not Found</html>", NOT_S3),
    "a web page": (200, "<html>Welcome</html>", NOT_S3),
    "nothing": (200, "", NOT_S3),
    "a code that is none": (400, error("\x07 <b>" + "x" * 500), NOT_S3),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Send the server's `answer` once `goes_on` is set."""

    def answer(self):
        self.server.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.goes_on.wait()
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body.encode())

    do_GET = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


def use_keys(monkeypatch, endpoint):
    names = {"ACCESS_KEY_ID": SECRETS[0], "SECRET_ACCESS_KEY": SECRETS[1], "DEFAULT_REGION": "us-east-1"}
    for name, value in (names | {"ENDPOINT_URL": endpoint, "EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(f"AWS_{name}", value)


@pytest.fixture
def server(monkeypatch):
    """Run the server that the environment names."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answer, server.asked, server.goes_on = (200, ""), 0, threading.Event()
        server.goes_on.set()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        use_keys(monkeypatch, f"http://user:{SECRETS[2]}@127.0.0.1:{server.server_port}")
        yield server
        server.goes_on.set()
        server.shutdown()


@pytest.fixture
def store():
    return open_models("s3://bucket/models")


def test_error_explains_the_answer_without_keys(server, store, caplog):
    caplog.set_level(logging.DEBUG)
    for name, (status, body, advice) in ANSWERS.items():
        server.answer = status, body
        with pytest.raises(UnreachableError, match=rf"^s3://bucket/models .*{advice}") as raised:
            store.alias(LIVE)
        text = str(raised.value)
        assert len(text) < 400, name
        assert text.isprintable(), name
        assert not [secret for secret in SECRETS if secret in text + caplog.text], name
        assert not [secret for secret in SECRETS[1:] if secret in "".join(traceback.format_exception(raised.value))], name


@pytest.mark.parametrize("name", ["a web page", "keys that may not"])
def test_every_operation_raises_the_error(server, store, model_folder, name):
    server.answer = ANSWERS[name][:2]
    for use in (
        store.versions,
        store.rollback,
        lambda: store.point(CANDIDATE, VERSION),
        lambda: store.load(VERSION),
        lambda: store.state(VERSION),
        lambda: store.promote(VERSION),
        lambda: store.publish(model_folder()),
    ):
        with pytest.raises(StoreError, match=r"^s3://bucket/models"):
            use()


def test_finds_credentials_that_are_added_later(bucket, monkeypatch, tmp_path):
    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    for name in keys:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    store = open_models(f"s3://{bucket}/models")
    with pytest.raises(UnreachableError, match="has no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"):
        store.alias(LIVE)
    lines = [f"{name.lower()} = {value}" for name, value in keys.items()]
    (tmp_path / "credentials").write_text("\n".join(["[default]", *lines, ""]))
    assert store.alias(LIVE) is None
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UnreachableError, match="has no usable credentials"):
        open_models(f"s3://{bucket}/models").alias(LIVE)


@pytest.mark.parametrize("endpoint", ["no url", "http://", "http://127.0.0.1:99999", "ftp://127.0.0.1", "http://127.0.0.1:{}"])
def test_error_names_a_wrong_endpoint_soon(store, monkeypatch, free_port, endpoint):
    use_keys(monkeypatch, endpoint.format(free_port()))
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="check AWS_ENDPOINT_URL"):
        store.alias(LIVE)
    assert time.monotonic() - begun < 5


def test_a_silent_store_times_out_soon(server, store, monkeypatch):
    """A scrape has five seconds for two requests, so there is no retry."""
    assert 2 * s3_bucket.READING.read_timeout < 5
    monkeypatch.setattr(s3_bucket, "READING", s3_bucket.READING.merge(Config(read_timeout=0.1)))
    server.goes_on.clear()
    for ask in (store.versions, lambda: store.alias(LIVE)):
        with pytest.raises(UnreachableError, match="cannot be reached"):
            ask()
    assert server.asked == 2


def test_an_unreachable_store_stops_a_rollback(bucket, model_folder, monkeypatch):
    """Unreachable versions must not count as damaged."""
    store = open_models(f"s3://{bucket}/models")
    for seed in range(3):
        store.promote(store.publish(model_folder(seed))["version"])
    before, get = store.alias(LIVE), store._bucket.get

    def get_no_weights(key, *most_bytes):
        if key.endswith(".npz"):
            raise UnreachableError("away")
        return get(key, *most_bytes)

    monkeypatch.setattr(store._bucket, "get", get_no_weights)
    with pytest.raises(UnreachableError, match="away"):
        store.rollback()
    assert store.alias(LIVE) == before


class TestURL:
    def test_names_bucket_and_prefix_without_a_request(self, monkeypatch):
        use_keys(monkeypatch, "http://127.0.0.1:1")
        assert str(open_models("s3://bucket")) == "s3://bucket"
        assert str(open_models("s3://bucket/a/b/")) == "s3://bucket/a/b"
        assert str(open_models("s3://my.bucket-1/my%20models")) == "s3://my.bucket-1/my models"

    @pytest.mark.parametrize(
        "url",
        [
            "s3:", "s3://", "s3:bucket", "s3://b", "s3://Bucket/x", "s3://a..b/x", "s3://-bucket/x", "s3://bucket-/x",
            f"s3://{'b' * 64}/x", "s3://bucket:443/x", "s3://bucket/a//b", "s3://bucket/../x", "s3://bucket/x#y", "s3://bucket/%00",
            "s3://bucket/x?region=eu", "s3://[b/x",
        ],
    )  # fmt: skip
    def test_rejects_other_urls(self, url):
        with pytest.raises(StoreError, match="an object store's URL must be s3://bucket/prefix"):
            open_models(url)

    def test_rejects_keys_without_showing_them(self):
        with pytest.raises(StoreError, match="without access keys") as raised:
            open_models("s3://AKIASECRETKEYID:the-secret-itself@bucket/models")
        assert not [secret for secret in SECRETS if secret in str(raised.value)]
