"""The model store in an object store (S3 with conditional writes: AWS, MinIO, Ceph, …), for machines that share no disk.

    s3://bucket/prefix

    <prefix>/versions/<version>/          weights.npz, snapshots.npz and, last, model.json: a version exists once it has a card
    <prefix>/live, candidate, history     lines with a version and the time of writing

Any number of processes publish, promote and read at the same time. Each replaces an alias, the history or a card only if it has
not changed since it was read. The time makes each line unique, so a removed and restored alias counts as changed.
"""

import errno
import os
import re
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from digitnet.checkpoint import CARD_FILE, FILES, MOST_BYTES, Card

from stores.models.base import MOST_NOTE_BYTES, ModelStore, StoreError, check_version, is_version, validated_copy
from stores.models.s3_bucket import Bucket, Found

FORM = "an object store's URL must be s3://bucket/prefix, with a valid bucket name and without access keys"
MISSING = os.strerror(errno.ENOENT)


class S3Models(ModelStore):
    def __init__(self, url: str):
        bucket, self._prefix = _parts(url)
        self._name = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self._bucket = Bucket(bucket, self._name)

    def __str__(self) -> str:
        return self._name

    def publish(self, folder: Path) -> Card:
        try:
            with tempfile.TemporaryDirectory() as workshop:
                private = Path(workshop)
                card = validated_copy(folder, private)
                contents = {name: (private / name).read_bytes() for name in FILES if (private / name).exists()}
        except OSError as error:
            raise StoreError(f"{folder} cannot be copied for validation: {error.strerror or error}") from error
        version = card["version"]
        self._persistently(lambda: self._upload(version, contents), f"other processes keep publishing {version} in {self}")
        return card

    def versions(self) -> list[str]:
        start, end = f"{self._prefix}versions/", f"/{CARD_FILE}"
        listed = self._bucket.list(start)
        found = sorted((time, key.removeprefix(start).removesuffix(end)) for key, _, time in listed if key.endswith(end))
        return [version for _, version in found if is_version(version)]

    def published_at(self, version: str) -> float:
        return self._head_of_card(version).modified

    def size(self, version: str) -> int:
        self._head_of_card(version)
        return sum(size for _, size, _ in self._bucket.list(self._key(version, "")))

    def state(self, version: str) -> tuple[object, ...]:
        """Send one HEAD for the card, which each publication rewrites."""
        card = self._head_of_card(version)
        return version, card.tag, card.modified

    def _upload(self, version: str, contents: dict[str, bytes]) -> None:
        """Put the card last, and only if it did not change while the other files were put.

        Otherwise two publishers of one version could leave the card of one with the snapshots of the other. A killed publisher
        leaves files without a card, or the same weights, because their hash is the version.
        """
        card = self._key(version, CARD_FILE)
        before = self._bucket.head(card)
        for name, content in contents.items():
            if name != CARD_FILE:
                self._bucket.put(self._key(version, name), content)
        self._bucket.replace(card, contents[CARD_FILE], before and before.tag)

    def _note(self, name: str) -> tuple[str | None, str | None]:
        found = self._bucket.get(self._prefix + name, MOST_NOTE_BYTES)
        return (None, None) if found is None else (found.content.decode("ascii", "replace"), found.tag)

    def _put_note(self, name: str, lines: list[str] | None, seen: str | None) -> None:
        if lines is not None:
            self._bucket.replace(self._prefix + name, "".join(f"{line}\n" for line in lines).encode(), seen)
        elif seen is not None:
            self._bucket.delete(self._prefix + name, seen)

    def _line(self, version: str) -> str:
        return f"{version} {datetime.now(UTC).isoformat(timespec='microseconds')}"

    def _files(self, version: str) -> "_Object":
        check_version(version)
        return _Object(self._bucket, self._key(version, ""), f"{self}/versions/{version}")

    def _head_of_card(self, version: str) -> Found:
        files = self._files(version)
        found = self._bucket.head(self._key(version, CARD_FILE))
        if found is None:
            raise StoreError(f"{files}/{CARD_FILE} cannot be read: {MISSING}")
        return found

    def _key(self, version: str, name: str) -> str:
        return f"{self._prefix}versions/{version}/{name}"


class _Object:
    """An object or a prefix, with the interface of a file or folder for digitnet.checkpoint."""

    def __init__(self, bucket: Bucket, key: str, name: str):
        self._bucket, self._key, self._name = bucket, key, name

    def __str__(self) -> str:
        return self._name

    def __truediv__(self, name: str) -> "_Object":
        return _Object(self._bucket, f"{self._key}{name}", f"{self._name}/{name}")

    def read_bytes(self) -> bytes:
        found = self._bucket.get(self._key, MOST_BYTES[self._key.rpartition("/")[2]])
        if found is None:
            raise FileNotFoundError(errno.ENOENT, MISSING)
        return found.content


def _parts(url: str) -> tuple[str, str]:
    """Return bucket and prefix, which ends in a slash unless it is empty. No error shows the URL, which may contain keys."""
    found = re.fullmatch(r"s3://([a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9])(/[^?#]*)?", url)
    prefix = unquote(found[2] or "").strip("/") if found else ""
    if not found or not prefix.isprintable() or (prefix and {"", ".", ".."} & set(prefix.split("/"))):
        raise StoreError(FORM)
    return found[1], prefix and f"{prefix}/"
