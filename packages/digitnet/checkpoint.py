"""A trained network on disk: files in one folder, without pickle, so that loading a model never runs code from it.

    `weights.npz`     Parameters (count,), golden examples (golden.py) and their decision.
    `snapshots.npz`   Optional: snapshots of the training (inspect/snapshots.py).
    `model.json`      The model card: layers, decision, checksums of the other files and of the card. The trainer adds its
                      measurements, data and recipe.

A model's version is a hash of weights.npz and the network's layers, which together determine every prediction.

`load` trusts no file. It reads only regular files of limited size, and rejects a network that needs much memory before it
allocates any. Checksums, shapes, ranges and golden examples must agree. Older models may lack the decision in weights.npz, and
then also the checksum of the card.
"""

import errno
import hashlib
import io
import json
import math
import os
import stat
import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from digitnet.arrays import Array, Arrays, Bytes
from digitnet.decision import Decision
from digitnet.golden import Golden
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import IMAGE_SHAPE, Network

# Written in this order, so that a reader never finds a card without its files.
FILES = WEIGHTS_FILE, SNAPSHOTS_FILE, CARD_FILE = "weights.npz", "snapshots.npz", "model.json"
MOST_BYTES = {WEIGHTS_FILE: 2**27, SNAPSHOTS_FILE: 2**27, CARD_FILE: 2**20}
FORMAT = "digitnet-model-1"
DTYPES = "float32", "float64"

Card = dict[str, Any]  # JSON


class ReadableFile(Protocol):
    def read_bytes(self) -> bytes: ...


class ReadableFolder(Protocol):
    """A folder, or a prefix of an object store."""

    def __truediv__(self, name: str, /) -> ReadableFile: ...


class CheckpointError(ValueError):
    """A saved model is missing, damaged or of another program; the message names the file and the fault."""


def save(folder: Path, network: Network, golden_images: Bytes, about: Card, snapshots: Snapshots | None = None) -> Card:
    """Write the network into the folder, the card last, and return the card.

    `golden_images` are uint8 (n, 28, 28), n >= 1. `about` is for JSON and becomes part of the card; its `temperature` and
    `no_digit_threshold` are the decision. ValueError for a number out of range.
    """
    golden = Golden.of(network, Decision.of(about), golden_images)
    contents = {WEIGHTS_FILE: npz_bytes({"parameters": network.parameters, **golden.arrays()})}
    described = {
        "layers": network.specification,
        "input_shape": list(IMAGE_SHAPE),
        "dtype": network.dtype.name,
        "parameters": network.parameters.size,
    }
    checksum = _sha256(contents[WEIGHTS_FILE])
    version = _version(checksum, described)
    card = {**about, "format": FORMAT, "version": version, "network": described, "weights_sha256": checksum}
    card.pop("snapshots_sha256", None)  # `about` may be an older card
    if snapshots is not None:
        contents[SNAPSHOTS_FILE] = npz_bytes(snapshots.arrays())
        card["snapshots_sha256"] = _sha256(contents[SNAPSHOTS_FILE])
    card = sealed(card)
    contents[CARD_FILE] = (json.dumps(card, indent=2) + "\n").encode()
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return card


def sealed(card: Card) -> Card:
    """Return the card with a new checksum of its content. ValueError if it cannot become JSON."""
    card = json.loads(json.dumps({name: value for name, value in card.items() if name != "card_sha256"}, allow_nan=False))
    return {**card, "card_sha256": _card_checksum(card)}


def load(folder: ReadableFolder) -> tuple[Network, Card]:
    """Read and validate a saved model; return the network and its card. CheckpointError names any fault."""
    network, card, _ = _load(folder)
    return network, card


def load_golden(folder: ReadableFolder) -> Golden:
    """Read and validate a saved model; return its golden examples. CheckpointError names any fault."""
    return _load(folder)[2]


def _load(folder: ReadableFolder) -> tuple[Network, Card, Golden]:
    card, cards_path = load_card(folder), folder / CARD_FILE
    arrays, described = _arrays_as_named(folder, WEIGHTS_FILE, card["weights_sha256"]), card["network"]
    try:
        if described["dtype"] not in DTYPES:
            raise ValueError(f"its dtype is {described['dtype']!r:.60}, not {' or '.join(DTYPES)}")
        network = Network(described["layers"], described["dtype"], arrays["parameters"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{cards_path} does not describe the network in {WEIGHTS_FILE}: {error}") from error
    if card["version"] != _version(card["weights_sha256"], described):
        raise CheckpointError(f"{cards_path} was edited: its version is not that of this network")
    if "decision" in arrays and "card_sha256" not in card:
        raise CheckpointError(f"{cards_path} was edited: it lacks its checksum. Undo the edit, or save the model anew")
    try:
        golden = Golden.from_arrays(arrays, Decision.of(card), network)
    except ValueError as error:
        raise CheckpointError(f"{folder / WEIGHTS_FILE}: {error}") from error
    return network, card, golden


def load_snapshots(folder: ReadableFolder, network: Network, card: Card) -> Snapshots | None:
    """Read the snapshots of a model from `load`; return None if it has none. CheckpointError names any fault."""
    if "snapshots_sha256" not in card:
        return None
    arrays = _arrays_as_named(folder, SNAPSHOTS_FILE, card["snapshots_sha256"])
    try:
        return Snapshots.from_arrays(arrays, network)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{folder / SNAPSHOTS_FILE}: {error}") from error


def copy(source: Path, target: Path) -> None:
    """Copy a model's files, the card last. CheckpointError if one is missing."""
    has_snapshots = "snapshots_sha256" in load_card(source)
    for name in FILES:
        if name != SNAPSHOTS_FILE or has_snapshots:
            write_atomically(target / name, _read(source, name))


def load_card(folder: ReadableFolder) -> Card:
    """Read only a model's card. CheckpointError if it is missing, damaged or of another program."""
    path = folder / CARD_FILE
    content = _read(folder, CARD_FILE)
    try:
        card: Card = json.loads(content, parse_constant=_number, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    kinds = {"version": str, "weights_sha256": str, "network": dict}
    is_card = isinstance(card, dict) and card.get("format") == FORMAT
    if not is_card or not all(isinstance(card.get(key), kind) for key, kind in kinds.items()):
        raise CheckpointError(f"{path} is not the card of a digitnet model ({FORMAT}, with {', '.join(kinds)})")
    if "card_sha256" in card and card["card_sha256"] != _card_checksum(card):
        raise CheckpointError(
            f"{path} was edited: its content does not match its card_sha256. Undo the edit, or save the model anew"
        )
    try:
        Decision.of(card)
    except ValueError as error:
        raise CheckpointError(f"{path} cannot decide on answers: {error}") from error
    return card


def npz_bytes(arrays: Arrays) -> bytes:
    """Return the bytes of an .npz file. The same arrays give the same bytes; np.savez would include the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), entry.getvalue())
    return buffer.getvalue()


def npz_arrays(content: bytes) -> Arrays:
    """Return the arrays in the bytes of an .npz file. ValueError for bytes that npz_bytes could not have made.

    It never allocates more memory than the bytes have, even if a header claims a larger array.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(content) or any(entry.compress_type for entry in entries):
                raise ValueError("it is compressed, or promises more than it holds")
            return {entry.filename.removesuffix(".npy"): _npy_array(archive, entry) for entry in entries}
    except Exception as error:  # NumPy and zipfile raise many kinds of errors for damaged bytes
        reason = str(error)[:200] or type(error).__name__  # some messages repeat 64 KB of the file
        raise ValueError(f"not a sound .npz file ({reason})") from error


def _npy_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    """Return an array of the archive. Check its size first, because NumPy allocates the size in the header before it reads."""
    with archive.open(entry) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError(f"{entry.filename} is of another version of NumPy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        promised, present = math.prod(shape) * dtype.itemsize, entry.file_size - member.tell()
    if promised != present or min(shape, default=0) < 0:
        raise ValueError(f"{entry.filename} promises an array of {promised} bytes, and {present} follow")
    with archive.open(entry) as member:
        array: Array = np.lib.format.read_array(member, allow_pickle=False)
        return array


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file or a link to one. OSError for a pipe or the like, and for more than `most_bytes`."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, and at most {most_bytes:,} are read")
        return file.read(status.st_size + 1)  # one byte more, so that a growing file fails its checksum


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file atomically: readers, also after a crash, find the old content or the new. Create missing folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _version(weights_checksum: str, described: Card) -> str:
    return _sha256((weights_checksum + json.dumps(described, sort_keys=True)).encode())[:12]


def _card_checksum(card: Card) -> str:
    """Return a hash of the card's content, independent of white space and the order of keys."""
    content = {name: value for name, value in card.items() if name != "card_sha256"}
    return _sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _number(text: str) -> float:
    """Parse a JSON number. ValueError for NaN, Infinity and 1e999, which Python's parser accepts."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.60} is not a JSON number")
    return int(text) if text.lstrip("-").isdecimal() else number


def _read(folder: ReadableFolder, name: str) -> bytes:
    path = folder / name
    try:
        # The object store limits the size itself.
        return read_file(path, MOST_BYTES[name]) if isinstance(path, Path) else path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def _arrays_as_named(folder: ReadableFolder, name: str, checksum: str) -> Arrays:
    """Return the arrays of a file. CheckpointError unless it has this checksum."""
    content = _read(folder, name)
    if _sha256(content) != checksum:
        raise CheckpointError(f"{folder / name} is damaged or of another model: its checksum is not the one in {CARD_FILE}")
    try:
        return npz_arrays(content)
    except ValueError as error:
        raise CheckpointError(f"{folder / name}: {error}") from error
