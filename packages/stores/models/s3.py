"""The model store in an object store (the API of S3, with conditional writes: AWS, MinIO, Ceph, …), for those who share no disk.

    s3://bucket/prefix?cache=/a/folder    cache: the folder for what was read; without it, state/models-cache

    <prefix>/versions/<version>/          weights.npz, snapshots.npz and, last, model.json: a version exists once its card does
    <prefix>/live, candidate, history     lines of a version, and when the line was written

Any number publish, promote and read at the same time. A alias, the history and a card are replaced only if they still are what
was read before; no two lines that are ever written are the same, for the time in them, so that an alias that went away and came
back is not taken for one that stayed.

What it costs to look whether another model is live: a GET of 40 bytes for the alias, and a HEAD for what it names. A replica
that looks at live and candidate each second asks four times a second at most, a hundred replicas 400 times; what S3 takes for one
prefix is 5,500. A model's files are fetched when they are first needed, and then lie in the cache; a new card costs itself alone.

The cache's folder is in the URL, as one variable then says all of a store, in each service and in each test.
"""

import errno
import os
import re
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from digitnet.checkpoint import CARD_FILE, FILES, MOST_BYTES, SNAPSHOTS_FILE, WEIGHTS_FILE, load_card

from stores.models.base import MOST_NOTE_BYTES, ModelStore, StoreError, check_alias, check_version, is_version, validated_copy
from stores.models.cache import Cache
from stores.models.s3_bucket import Bucket

CACHE = "state/models-cache"
FORM = "an object store's URL is s3://bucket/prefix or s3://bucket/prefix?cache=/a/folder, and the keys to it are not in there"
RESOLUTION_SECONDS = 1.0  # of the store's clock, as it tells the time


class S3Models(ModelStore):
    """StoreError if the URL cannot be one of an object store."""

    def __init__(self, url: str):
        bucket, self._prefix, cache = _parts(url)
        self._name = f"s3://{bucket}/{self._prefix}".rstrip("/")
        self._bucket, self._cache = Bucket(bucket, self._name), Cache(Path(cache))

    def __str__(self) -> str:
        return self._name

    def publish(self, folder: Path) -> dict:
        try:
            with tempfile.TemporaryDirectory() as workshop:
                private = Path(workshop)
                card = validated_copy(folder, private)
                contents = {name: (private / name).read_bytes() for name in FILES if (private / name).exists()}
        except OSError as error:
            raise StoreError(f"{folder} cannot be copied in order to be validated: {error.strerror or error}") from error
        version = card["version"]
        self._persistently(lambda: self._upload(version, contents), f"others keep publishing {version} in {self}")
        return card

    def alias_time(self, alias: str) -> float | None:
        check_alias(alias)
        found = self._bucket.get(self._prefix + alias, MOST_NOTE_BYTES)
        return None if found is None else _moment(found)

    def versions(self) -> list[str]:
        start, end = f"{self._prefix}versions/", f"/{CARD_FILE}"
        found = [
            (time, key.removeprefix(start).removesuffix(end)) for key, _, time in self._bucket.list(start) if key.endswith(end)
        ]
        return [version for _, version in sorted(found) if is_version(version)]

    def published_at(self, version: str) -> float:
        return self._head_of_card(version).modified

    def size(self, version: str) -> int:
        files = self._files(version)
        sizes = {key.rpartition("/")[2]: size for key, size, _ in self._bucket.list(self._key(version, ""))}
        for name in (WEIGHTS_FILE, CARD_FILE):
            if name not in sizes:
                raise StoreError(f"{files}/{name} cannot be read: {_missing().strerror}")
        return sum(sizes.get(name, 0) for name in FILES)

    def state(self, version: str) -> tuple:
        """One HEAD, of the card: it is put anew, with a mark of its own, whenever the version is published."""
        card = self._head_of_card(version)
        return version, card.tag, card.modified, card.metadata.get("publication")

    def _upload(self, version, contents):
        """Whoever is killed here leaves what nobody finds or, where the version is there already, the same weights: they are its
        name. (Were its snapshots others, they are refused until it is published again, and the network is served without.)

        Two who publish the same version with other snapshots might leave one's card beside the other's snapshots, so the card is
        only put where there still is the one that was there before the snapshots were put.
        """
        before = self._bucket.head(self._key(version, CARD_FILE))
        for name, content in contents.items():
            if name != CARD_FILE:
                self._bucket.put(self._key(version, name), content)
        self._bucket.replace(
            self._key(version, CARD_FILE), contents[CARD_FILE], before and before.tag, {"publication": secrets.token_hex(8)}
        )

    def _note(self, name):
        found = self._bucket.get(self._prefix + name, MOST_NOTE_BYTES)
        return (None, None) if found is None else (found.content, found.tag)

    def _put_note(self, name, lines, seen):
        if lines is not None:
            self._bucket.replace(self._prefix + name, "".join(f"{line}\n" for line in lines).encode(), seen)
        elif seen is not None:
            self._bucket.delete(self._prefix + name, seen)

    def _line(self, version):
        return f"{version} {datetime.now(UTC).isoformat(timespec='microseconds')}"

    def _has(self, version):
        check_version(version)
        # No HEAD: its answer does not tell a missing bucket from a missing card.
        return self._bucket.get(self._key(version, CARD_FILE), MOST_BYTES[CARD_FILE]) is not None

    def _files(self, version, fresh=False):
        check_version(version)
        return _Files(
            f"{self}/versions/{version}",
            lambda name: self._bucket.get(self._key(version, name), MOST_BYTES[name]),
            None if fresh else self._cache,
        )

    def _head_of_card(self, version):
        files = self._files(version)
        found = self._bucket.head(self._key(version, CARD_FILE))
        if found is None:
            raise StoreError(f"{files}/{CARD_FILE} cannot be read: {_missing().strerror}")
        return found

    def _key(self, version, name):
        return f"{self._prefix}versions/{version}/{name}"


class _Files:
    """A version's files, as digitnet.checkpoint reads those of a folder. The card is asked for once; the others are cached under
    the checksums that it gives, so a card and what it names always go together."""

    def __init__(self, name, get, cache):
        self._name, self._get, self._cache = name, get, cache
        self._card: bytes | None = None

    def __str__(self):
        return self._name

    def __truediv__(self, name):
        return _File(f"{self}/{name}", lambda: self._read(name))

    def _read(self, name):
        if name == CARD_FILE:
            if self._card is None:
                self._card = self._fetched(name)
            return self._card
        if self._cache is None:
            return self._fetched(name)
        checksum = load_card(self).get({WEIGHTS_FILE: "weights_sha256", SNAPSHOTS_FILE: "snapshots_sha256"}[name])
        return self._cache.read(checksum, lambda: self._fetched(name))

    def _fetched(self, name):
        found = self._get(name)
        if found is None:
            raise _missing()
        return found.content


class _File:
    def __init__(self, name, read):
        self._name, self.read_bytes = name, read

    def __str__(self):
        return self._name


def _moment(found):
    """When an alias was moved, by our clock: as whoever moved it says, to the microsecond, as far as the store bears it out.

    The store's own time has whole seconds, and its clock need not be ours; but how long ago that was it knows by its clock alone.
    So whoever moves an alias from a machine whose clock is wrong is taken at the store's word.
    """
    answered = found.got_at if found.answered is None else found.answered
    age = answered - found.modified
    earliest, latest = found.asked_at - age - RESOLUTION_SECONDS, found.got_at - age + RESOLUTION_SECONDS
    try:
        said = datetime.fromisoformat(found.content.decode("ascii").split()[1]).timestamp()
    except (ValueError, IndexError):  # put there by other means
        said = latest
    return min(max(said, earliest), latest)


def _missing():
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def _parts(url):
    """Bucket, prefix (with a slash at its end, if there is one) and cache folder of a URL. Nothing of it is shown: if it is none,
    there may be keys in it."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise StoreError(FORM) from error
    if parts.scheme != "s3" or parts.fragment or len(query) > 1 or any(key != "cache" or not value for key, value in query):
        raise StoreError(FORM)
    bucket, prefix = parts.netloc, unquote(parts.path).strip("/")
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", bucket):
        raise StoreError(f"the bucket has 3 to 63 small letters, digits, dots and hyphens: {FORM}")
    if prefix and not (prefix.isprintable() and all(part not in ("", ".", "..") for part in prefix.split("/"))):
        raise StoreError(f"the prefix is made of names with '/' between them: {FORM}")
    return bucket, prefix and f"{prefix}/", dict(query).get("cache", CACHE)
