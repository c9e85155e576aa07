"""A bucket of an object store, through the AWS SDK. Its errors become StoreErrors that say what to do.

The SDK finds endpoint, region and credentials in AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, in AWS_SHARED_CREDENTIALS_FILE, or in the role of a pod or machine. No message shows a key, the endpoint,
which may contain a password, or more of a server's answer than its code.
"""

import base64
import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError, IncompleteReadError
from botocore.parsers import ResponseParserError

from stores.models.base import OvertakenError, StoreError, UnreachableError

# Readers keep their model and soon ask again. A scrape of the exporter asks twice in five seconds.
READING = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1, "mode": "standard"})
# On a slow line, the kernel may still be sending a model after the SDK has written all of it.
WRITING = Config(connect_timeout=1, read_timeout=30, retries={"total_max_attempts": 2, "mode": "standard"})

AWAY = "cannot be reached: check that it runs, and check AWS_ENDPOINT_URL"
FOREIGN = "does not answer like S3: check AWS_ENDPOINT_URL"
KEYS = (
    "has no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE, "
    "or give this machine a role"
)
FORBIDDEN = (
    "is forbidden to these credentials: reading needs s3:GetObject and s3:ListBucket (without it, S3 answers 403 for missing "
    "objects too), publishing s3:PutObject and s3:DeleteObject"
)
REGION = "is in another region: set AWS_DEFAULT_REGION to the bucket's"
ADVICE = {
    "NoSuchBucket": "cannot be used: the bucket does not exist. Create it, or correct the URL",
    "NotImplemented": "has no conditional writes (If-Match), which a model store needs",
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"), KEYS),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "401"), FORBIDDEN),
    **dict.fromkeys(("PermanentRedirect", "AuthorizationHeaderMalformed", "301", "307"), REGION),
}


class Found(NamedTuple):
    content: bytes  # empty for head()
    tag: str  # ETag, which changes with the content
    modified: float  # whole Unix seconds by the store's clock


class Bucket:
    """A bucket. Several threads may use it. It connects on the first request."""

    def __init__(self, name: str, called: str):
        """`called` is the store's name in messages."""
        self._name, self._called = name, called
        self._clients: dict[Config, Any] = {}
        self._connecting = Lock()

    def get(self, key: str, most_bytes: int) -> Found | None:
        """Return an object, None if it does not exist. StoreError, without a download, if it is larger than `most_bytes`."""
        return self._ask("get_object", key, most_bytes)

    def head(self, key: str) -> Found | None:
        """Return an object without its content, None if it does not exist."""
        return self._ask("head_object", key)

    def put(self, key: str, content: bytes, **more: Any) -> None:
        """Put an object, with a checksum so that the store rejects incomplete content."""
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        self._write("put_object", key, Body=content, ChecksumSHA256=checksum, **more)

    def replace(self, key: str, content: bytes, seen: str | None) -> None:
        """Replace the object with the tag `seen`; create it for None. OvertakenError if it has changed."""
        condition = {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen}
        self.put(key, content, **condition)

    def delete(self, key: str, seen: str) -> None:
        """Delete the object with the tag `seen`. OvertakenError if it has changed."""
        self._write("delete_object", key, IfMatch=seen)

    def list(self, prefix: str) -> Iterator[tuple[str, int, float]]:
        """Yield key, size in bytes and time of each object with this prefix, with one request for each thousand."""
        with self._errors_explained(prefix):
            for page in self._connected(READING).get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix):
                if "Name" not in page:
                    raise UnreachableError(f"{self._called} {FOREIGN}")
                for entry in page.get("Contents", ()):
                    yield entry["Key"], entry["Size"], entry["LastModified"].timestamp()

    def _ask(self, method: str, key: str, most_bytes: int = 0) -> Found | None:
        try:
            with self._errors_explained(key):
                answer = getattr(self._connected(READING), method)(Bucket=self._name, Key=key)
                if "Body" in answer and answer["ContentLength"] > most_bytes:
                    answer["Body"].close()
                    raise StoreError(
                        f"s3://{self._name}/{key} has {answer['ContentLength']:,} bytes; the limit is {most_bytes:,}"
                    )
                content = answer["Body"].read() if "Body" in answer else b""
        except _MissingError:
            return None
        if not ("ETag" in answer and "LastModified" in answer):
            raise UnreachableError(f"{self._called} {FOREIGN}")
        return Found(content, answer["ETag"], answer["LastModified"].timestamp())

    def _write(self, method: str, key: str, **more: Any) -> None:
        try:
            with self._errors_explained(key):
                getattr(self._connected(WRITING), method)(Bucket=self._name, Key=key, **more)
        except _MissingError as error:  # the object that was seen is gone
            raise self._overtaken(key) from error

    def _connected(self, patience: Config) -> Any:
        with self._connecting:
            if patience not in self._clients:
                # At "info" these loggers name the source of the credentials, at "debug" the signed strings.
                for name in ("boto3", "botocore", "urllib3"):
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                self._clients[patience] = boto3.session.Session().client("s3", config=patience)
            return self._clients[patience]

    @contextmanager
    def _errors_explained(self, key: str) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except ClientError as error:
            raise self._refusal(error, key) from error
        except (ConnectionError, HTTPClientError, IncompleteReadError) as error:
            raise UnreachableError(f"{self._called} {AWAY}") from error
        except BotoCoreError as error:
            if not re.search("Credential|Profile|Token|SSO|Metadata|Config", type(error).__name__):
                raise UnreachableError(f"{self._called} {FOREIGN}") from error
            self._clients.clear()  # the next request searches for credentials again
            raise UnreachableError(f"{self._called} {KEYS}") from error
        except (ResponseParserError, ValueError, KeyError, RecursionError) as error:  # the last for endless redirects
            raise UnreachableError(f"{self._called} {FOREIGN}") from error

    def _refusal(self, error: ClientError, key: str) -> StoreError:
        """Return the StoreError for an error response."""
        code = re.sub(r"\W", "", str(error.response.get("Error", {}).get("Code", "")))[:40]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # Other web servers answer 404 too. Their body differs from S3's, but an answer to HEAD has no body.
        if code == "NoSuchKey" or (code == "404" and error.operation_name == "HeadObject"):
            return _MissingError(key)
        if status in (409, 412):
            return self._overtaken(key)
        advice = ADVICE.get(code) or ("fails" if code.isalpha() else FOREIGN)
        if advice == KEYS:
            self._clients.clear()
        return UnreachableError(f"{self._called} {advice} (it answered {code or status})")

    def _overtaken(self, key: str) -> OvertakenError:
        name = f"s3://{self._name}/{key}"
        return OvertakenError(f"another process changed {name} at the same time: check its current state, then try again")


class _MissingError(StoreError):
    """The object does not exist."""
