"""A model store of each kind, with direct access to its files. The same tests run on both."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from stores.models import ModelStore, open_models, s3_bucket


class Place:
    def history(self) -> list[str]:
        """Return the versions that were live before, oldest first."""
        return [line.split()[0] for line in self.read("history").decode().splitlines()]


class FolderPlace(Place):
    """A store in a folder."""

    tick = 0.01  # seconds between two different timestamps

    def __init__(self, folder: Path):
        self.folder, self.url = folder, str(folder)
        self.models: ModelStore = open_models(self.url)

    def write(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


class S3Place(Place):
    """A store in a bucket."""

    tick = 1.01

    def __init__(self, server, bucket: str):
        self.bucket, self._client = bucket, server.client()
        self.url = f"s3://{bucket}/models"
        self.models: ModelStore = open_models(self.url)

    def write(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=f"models/{name}", Body=content)

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=f"models/{name}")

    def read(self, name: str) -> bytes:
        return self._client.get_object(Bucket=self.bucket, Key=f"models/{name}")["Body"].read()

    def names(self) -> list[str]:
        listed = self._client.list_objects_v2(Bucket=self.bucket, Prefix="models/")
        return sorted(entry["Key"].removeprefix("models/") for entry in listed.get("Contents", ()))


@pytest.fixture
def s3_place(s3_server, bucket):
    return S3Place(s3_server, bucket)


@pytest.fixture
def folder_place(tmp_path):
    return FolderPlace(tmp_path / "models")


@pytest.fixture(params=["folder", "s3"])
def place(request):
    """Return a store of each kind in turn: `models` at `url`, with read, write, remove and names for its files."""
    return request.getfixturevalue(f"{request.param}_place")


def requests_of(store):
    """Return a list that records each request of this store: method and key."""
    sent = []
    watch(store, lambda method, key: sent.append((method, key)))
    return sent


def watch(store, look):
    """Call look(method, key) before each request."""

    def before_send(request, **_):
        look(request.method, urlsplit(request.url).path.partition("/models/")[2])

    for config in (s3_bucket.READING, s3_bucket.WRITING):
        store._bucket._connected(config).meta.events.register("before-send.s3", before_send)
