"""An object store that is away, or does not let us in, is a StoreError that says so, in short, and never shows a key."""

import http.server
import logging
import os
import threading
import time
import traceback

import pytest
from stores import s3_bucket
from stores.models import CANDIDATE, LIVE, StoreError, UnreachableError, open_models

SECRETS = ("AKIASECRETKEYID", "the-secret-itself", "endpoint-password")
VERSION = "0647f3f72a49"


def error(code, message="no"):
    said = f"<Code>{code}</Code><Message>{message} {SECRETS[0]}</Message><AWSAccessKeyId>{SECRETS[0]}</AWSAccessKeyId>"
    return f"<Error>{said}</Error>"


ANSWERS = {
    "unknown keys": (403, error("InvalidAccessKeyId"), "refuses the credentials: are AWS_ACCESS_KEY_ID"),
    "a wrong secret": (403, error("SignatureDoesNotMatch"), "refuses the credentials: are AWS_ACCESS_KEY_ID"),
    "keys that are too old": (400, error("ExpiredToken"), "refuses the credentials"),
    "keys that may not": (403, error("AccessDenied"), "is forbidden to these credentials: to read takes s3:GetObject"),
    "a 403 that says nothing": (403, "", "is forbidden to these credentials"),
    "no such bucket": (404, error("NoSuchBucket"), "there is no such bucket. Make it, or correct the URL"),
    "a clock that is wrong": (403, error("RequestTimeTooSkewed"), "set this machine's clock"),
    "another region": (400, error("AuthorizationHeaderMalformed"), "is in another region: set AWS_DEFAULT_REGION"),
    "a web server that sends everybody elsewhere": (301, "", "does not answer as S3 does: is AWS_ENDPOINT_URL right"),
    "an error of the server's": (500, error("InternalError"), r"fails: try again later \(it says InternalError\)"),
    "a gateway's error": (502, "<html>Bad Gateway</html>", "fails: try again later"),
    "too much": (503, error("SlowDown"), "is asked too much: try again later"),
    "a web server without such a page": (404, "<html>Not Found</html>", "does not answer as S3 does: is AWS_ENDPOINT_URL right"),
    "a web page": (200, "<html>Welcome</html>", "does not answer as S3 does: is AWS_ENDPOINT_URL right"),
    "nothing": (200, "", "does not answer as S3 does: is AWS_ENDPOINT_URL right"),
    "a code that is none": (400, error("\x07 <b>" + "x" * 500), "does not answer as S3 does"),
}


class AnswersAlike(http.server.BaseHTTPRequestHandler):
    status, body, seconds = 200, b"", 0.0

    def answer(self):
        time.sleep(self.seconds)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    do_GET = do_PUT = do_HEAD = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture
def answer_always(monkeypatch):
    """answer_always(status, body): from now on the store is a server that answers everything so."""
    servers = []

    def start(status=200, body="", seconds=0.0):
        kind = type("Answers", (AnswersAlike,), {"status": status, "body": body.encode(), "seconds": seconds})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        use_keys(monkeypatch, f"http://user:{SECRETS[2]}@127.0.0.1:{server.server_port}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def use_keys(monkeypatch, endpoint):
    names = {"AWS_ACCESS_KEY_ID": SECRETS[0], "AWS_SECRET_ACCESS_KEY": SECRETS[1], "AWS_ENDPOINT_URL": endpoint}
    for name, value in (names | {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store(tmp_path):
    return open_models(f"s3://bucket/models?cache={tmp_path}/cache")


@pytest.fixture
def folder(save_model, tmp_path):
    save_model(tmp_path / "model")
    return tmp_path / "model"


@pytest.mark.parametrize(("status", "body", "advice"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means_is_said(answer_always, store, caplog, status, body, advice):
    caplog.set_level(logging.DEBUG)
    answer_always(status, body)
    with pytest.raises(UnreachableError, match=rf"^s3://bucket/models .*{advice}") as raised:
        store.pointer(LIVE)
    said = str(raised.value)
    assert len(said) < 400
    assert said.isprintable()
    assert not [secret for secret in SECRETS if secret in said + caplog.text]


@pytest.mark.parametrize("name", ["no such bucket", "a web page", "an error of the server's"])
def test_whatever_is_asked(answer_always, store, folder, name):
    answer_always(*ANSWERS[name][:2])
    for use in (
        store.versions,
        store.rollback,
        store.history,
        lambda: store.pointer_time(LIVE),
        lambda: store.point(CANDIDATE, VERSION),
        lambda: store.load(VERSION),
        lambda: store.state(VERSION),
        lambda: store.promote(VERSION),
        lambda: store.publish(folder),
    ):
        with pytest.raises(StoreError, match=r"^s3://bucket/models"):
            use()


def test_nothing_is_published_where_one_may_not(answer_always, store, folder):
    answer_always(403, error("AccessDenied"))
    with pytest.raises(UnreachableError, match="to publish s3:PutObject"):
        store.publish(folder)


def test_no_traceback_has_a_key(answer_always, store):
    answer_always(403, error("SignatureDoesNotMatch"))
    with pytest.raises(UnreachableError) as raised:
        store.pointer(LIVE)
    assert not [secret for secret in SECRETS[1:] if secret in "".join(traceback.format_exception(raised.value))]


def test_credentials_that_are_missing_are_asked_for_and_found_once_they_are_there(bucket, store, monkeypatch, tmp_path):
    keys = {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    for name in keys:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    store = open_models(f"s3://{bucket}/models")
    with pytest.raises(UnreachableError, match="has no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"):
        store.pointer(LIVE)
    lines = [f"{name.lower()} = {value}" for name, value in keys.items()]
    (tmp_path / "credentials").write_text("\n".join(["[default]", *lines, ""]))
    assert store.pointer(LIVE) is None


def test_a_profile_that_is_not_there_is_no_credentials(bucket, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UnreachableError, match="has no usable credentials"):
        open_models(f"s3://{bucket}/models").pointer(LIVE)


@pytest.mark.parametrize("endpoint", ["no url", "http://", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
def test_an_endpoint_that_is_none_is_said(store, monkeypatch, endpoint):
    use_keys(monkeypatch, endpoint)
    with pytest.raises(UnreachableError, match="is AWS_ENDPOINT_URL right"):
        store.pointer(LIVE)


def test_a_store_where_nobody_listens_is_said_soon(store, monkeypatch, free_port):
    use_keys(monkeypatch, f"http://127.0.0.1:{free_port()}")
    begun = time.monotonic()
    with pytest.raises(UnreachableError, match="cannot be reached: is it running, and is AWS_ENDPOINT_URL right"):
        store.pointer(LIVE)
    assert time.monotonic() - begun < 5


def test_a_store_that_does_not_answer_is_given_up_soon(answer_always, store):
    """An exporter asks twice in the five seconds of a scrape: that takes four, and whatever a busy machine adds."""
    answer_always(seconds=30.0)
    store._bucket._connected(s3_bucket.READING)  # which takes a while, the first time
    begun = time.monotonic()
    for ask in (store.versions, lambda: store.pointer(LIVE)):
        with pytest.raises(UnreachableError, match="cannot be reached"):
            ask()
    assert time.monotonic() - begun < 10


def test_a_store_that_is_away_hides_no_version_from_a_rollback(bucket, save_model, tmp_path, monkeypatch):
    """It is not taken for one that has nothing sound."""
    store = open_models(f"s3://{bucket}/models?cache={tmp_path}/cache")
    for seed in range(3):
        save_model(tmp_path / "model", seed)
        store.promote(store.publish(tmp_path / "model")["version"])
    before, get = store.pointer(LIVE), store._bucket.get
    away = UnreachableError("away")

    def get_no_weights(key, *most_bytes):
        if key.endswith(".npz"):
            raise away
        return get(key, *most_bytes)

    monkeypatch.setattr(store._bucket, "get", get_no_weights)
    with pytest.raises(UnreachableError, match="away"):
        store.rollback()
    assert store.pointer(LIVE) == before


class TestURL:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("s3://bucket/prefix", "s3://bucket/prefix"),
            ("s3://bucket/a/b/", "s3://bucket/a/b"),
            ("s3://bucket", "s3://bucket"),
            ("s3://my.bucket-1/my%20models?cache=/var/cache/doodle", "s3://my.bucket-1/my models"),
        ],
    )
    def test_it_names_bucket_and_prefix(self, url, name):
        assert str(open_models(url)) == name

    @pytest.mark.parametrize(
        "url",
        [
            "s3:", "s3://", "s3:///x", "s3:/bucket/x", "s3:bucket", "s3://b", "s3://Bucket/x", "s3://my_bucket/x", "s3://a..b/x",
            "s3://-bucket/x", "s3://bucket-/x", f"s3://{'b' * 64}/x", "s3://bucket:443/x", "s3://bucket/a//b", "s3://bucket/../x",
            "s3://bucket/x#y", "s3://bucket/x?", "s3://bucket/x?cache=", "s3://bucket/x?cache", "s3://bucket/x?region=eu",
            "s3://bucket/x?cache=a&cache=b", "s3://bucket/%00", "s3://[bucket/x",
        ],
    )  # fmt: skip
    def test_what_is_none_is_refused(self, url):
        if url == "s3://bucket/x?":  # which says no more than without the question mark
            return
        with pytest.raises(StoreError, match="an object store's URL is s3://bucket/prefix"):
            open_models(url)

    def test_keys_in_it_are_refused_and_not_shown(self):
        with pytest.raises(StoreError, match="the keys to it are not in there") as raised:
            open_models("s3://AKIASECRETKEYID:the-secret-itself@bucket/models")
        assert not [secret for secret in SECRETS if secret in str(raised.value)]

    def test_nobody_is_asked_before_it_is_used(self, monkeypatch):
        use_keys(monkeypatch, "http://127.0.0.1:1")
        assert str(open_models("s3://bucket/models")) == "s3://bucket/models"
