"""A bucket of an object store, through the AWS SDK; its errors become StoreErrors that say what to do.

The SDK finds endpoint, region and credentials: in AWS_ENDPOINT_URL, AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, AWS_SHARED_CREDENTIALS_FILE, or the role of a pod or machine. No message shows a key, a server's answer
beyond its code, or the endpoint, which might hold a password.
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

# A reader keeps the model that it has, and asks again soon. A scrape of the exporter asks twice, and has five seconds.
READING = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1, "mode": "standard"})
# On a slow line a model may still be on its way when the kernel has all of it.
WRITING = Config(connect_timeout=1, read_timeout=30, retries={"total_max_attempts": 2, "mode": "standard"})

AWAY = "cannot be reached: is it running, and is AWS_ENDPOINT_URL right?"
FOREIGN = "does not answer as S3 does: is AWS_ENDPOINT_URL right?"
KEYS = (
    "has no usable credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE, "
    "or give this machine a role"
)
FORBIDDEN = (
    "is forbidden to these credentials: to read takes s3:GetObject and s3:ListBucket (without which what is not there is "
    "forbidden, too), to publish s3:PutObject and s3:DeleteObject"
)
REGION = "is in another region: set AWS_DEFAULT_REGION to the bucket's"
ADVICE = {
    "NoSuchBucket": "cannot be used: there is no such bucket. Make it, or correct the URL",
    "NotImplemented": "cannot replace an object only if it is still the same (If-Match), which a model store needs",
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"), KEYS),
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "401"), FORBIDDEN),
    **dict.fromkeys(("PermanentRedirect", "AuthorizationHeaderMalformed", "301", "307"), REGION),
}


class Found(NamedTuple):
    content: bytes  # empty for head()
    tag: str  # its ETag, which differs for different content
    modified: float  # Unix seconds by the store's clock, whole ones


class Bucket:
    """Safe from several threads. It connects on the first request."""

    def __init__(self, name: str, called: str):
        """`called` is its name in messages."""
        self._name, self._called = name, called
        self._clients: dict[Config, Any] = {}
        self._connecting = Lock()

    def get(self, key: str, most_bytes: int) -> Found | None:
        """Return an object, if it exists, in one request. StoreError for a larger one, which is not fetched."""
        return self._ask("get_object", key, most_bytes)

    def head(self, key: str) -> Found | None:
        """Return an object without its content."""
        return self._ask("head_object", key)

    def put(self, key: str, content: bytes, **more: Any) -> None:
        """Put an object; the checksum makes the store refuse content that does not arrive whole."""
        checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()
        self._write("put_object", key, Body=content, ChecksumSHA256=checksum, **more)

    def replace(self, key: str, content: bytes, seen: str | None) -> None:
        """Replace the object with the tag `seen`, or put one where there was none. OvertakenError if that has changed."""
        condition = {"IfNoneMatch": "*"} if seen is None else {"IfMatch": seen}
        self.put(key, content, **condition)

    def delete(self, key: str, seen: str) -> None:
        """Delete the object with that tag. OvertakenError if that has changed."""
        self._write("delete_object", key, IfMatch=seen)

    def list(self, prefix: str) -> Iterator[tuple[str, int, float]]:
        """Yield key, bytes and time of each object below; a request for a thousand of them."""
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
                        f"s3://{self._name}/{key} has {answer['ContentLength']:,} bytes, and at most {most_bytes:,} are read"
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
                # At "info" they log where they found credentials, at "debug" what they sign with them.
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
            self._clients.clear()  # the next request looks for credentials anew: by then there may be others
            raise UnreachableError(f"{self._called} {KEYS}") from error
        except (ResponseParserError, ValueError, KeyError, RecursionError) as error:  # the last for endless redirects
            raise UnreachableError(f"{self._called} {FOREIGN}") from error

    def _refusal(self, error: ClientError, key: str) -> StoreError:
        """Return the meaning of an error that the store answered."""
        code = re.sub(r"\W", "", str(error.response.get("Error", {}).get("Code", "")))[:40]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        # A web server that is no S3 answers 404, too. Only the answer to HEAD has no body that tells them apart.
        if code == "NoSuchKey" or (code == "404" and error.operation_name == "HeadObject"):
            return _MissingError(key)
        if status in (409, 412):
            return self._overtaken(key)
        advice = ADVICE.get(code) or ("fails" if code.isalpha() else FOREIGN)
        if advice == KEYS:
            self._clients.clear()
        return UnreachableError(f"{self._called} {advice} (it says {code or status})")

    def _overtaken(self, key: str) -> OvertakenError:
        name = f"s3://{self._name}/{key}"
        return OvertakenError(f"{name} was changed by somebody else at the same moment: look at it, then try again")


class _MissingError(StoreError):
    """There is no such object."""
