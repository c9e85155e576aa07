"""Run moto's S3 server, empty, in a separate process."""

import os
import subprocess
import sys
import uuid
from contextlib import contextmanager

import pytest

# Read by boto3 and by DVC's SDK.
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing-secret", "AWS_DEFAULT_REGION": "us-east-1"}

# One request at a time: S3 compares and replaces an object in one step, moto in two.
PROGRAM = """
import threading, moto.server
one_at_a_time, answer = threading.Lock(), moto.server.DomainDispatcherApplication.__call__

def answer_alone(self, environ, start_response):
    with one_at_a_time:
        return answer(self, environ, start_response)

moto.server.DomainDispatcherApplication.__call__ = answer_alone
moto.server.main()
"""


class S3Server:
    """An S3 server. `environment` has its URL and credentials."""

    def __init__(self, address: str, port: int):
        self.url = f"http://{address}:{port}"
        self.environment = KEYS | {"AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}
        self._command = [sys.executable, "-c", PROGRAM, "--host", address, "--port", str(port)]
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Start it empty. It answers a moment later: wait for `url`."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self._command, env=os.environ | KEYS, **quiet)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def client(self):
        """Return a boto3 client with the owner's keys."""
        import boto3  # takes half a second, and few tests need it

        key, secret, region = KEYS.values()
        return boto3.client("s3", region, endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret)

    def new_bucket(self) -> str:
        """Create a bucket for one test and return its name."""
        name = f"doodle-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name


@contextmanager
def running(free_port, wait_for):
    server = S3Server("127.0.0.1", free_port())
    server.start()
    try:
        wait_for(f"{server.url}/moto-api/", process=server.process)
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def s3_server(free_port, wait_for):
    """A running S3Server on loopback."""
    with running(free_port, wait_for) as server:
        yield server


@pytest.fixture
def bucket(s3_server, monkeypatch):
    """Return the name of an empty bucket, and set its credentials for this process and its children."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    return s3_server.new_bucket()
