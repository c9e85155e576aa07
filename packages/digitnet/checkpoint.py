"""A trained network on disk: files in one folder, and no pickle, so that opening a model never runs its code.

    weights.npz     parameters (count,), and golden examples (golden.py) with the decision that they were made by
    snapshots.npz   how it learnt (snapshots.py), where its maker kept that
    model.json      the model card: how the network is built, the decision, the checksums of the other files and of the card
                    itself, and its maker's figures (accuracy, data, recipe)

The same network with the same decision makes the same bytes. A model's version is the hash of weights.npz and of the network's
description, so it covers everything that decides an answer. The card's own checksum covers the figures too.

`load` trusts nothing. It reads regular files of bounded size, and refuses a network that needs much memory before it allocates
any. Checksums, shapes, ranges and golden examples must all agree.

A model of an earlier release has no decision in weights.npz, and its card has no checksum. It loads after all other checks. An
earlier release loads today's models.
"""

import errno
import hashlib
import io
import json
import math
import os
import stat
import tokenize
import zipfile
from pathlib import Path

import numpy as np

from digitnet.decision import Decision
from digitnet.golden import Golden
from digitnet.inspect.snapshots import Snapshots
from digitnet.network import IMAGE_SHAPE, Network

# In this order, so that a reader never finds a card without the files that it names.
FILES = WEIGHTS_FILE, SNAPSHOTS_FILE, CARD_FILE = "weights.npz", "snapshots.npz", "model.json"
MOST_BYTES = {WEIGHTS_FILE: 2**27, SNAPSHOTS_FILE: 2**27, CARD_FILE: 2**20}
FORMAT = "digitnet-model-1"
DTYPES = "float32", "float64"
# What NumPy and zipfile raise for damaged files; NotImplementedError and RecursionError are RuntimeErrors.
UNSOUND = (
    ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, RuntimeError, SyntaxError, tokenize.TokenError, MemoryError,
    OverflowError,
)  # fmt: skip


class CheckpointError(ValueError):
    """A model on disk that is missing, damaged or foreign; the message names the file and says what is wrong."""


def save(folder: Path, network: Network, golden_images: np.ndarray, about: dict, snapshots: Snapshots | None = None) -> dict:
    """Write the network (float32) into the folder, the card last, and return the card.

    golden_pictures are uint8 (n, 28, 28), at least one. `about` is JSON-ready and goes into the card; its `temperature` and
    `no_digit_threshold` are the decision. ValueError for a number out of range, or for more bytes than `load` reads.
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
    card = {
        **about,
        "format": FORMAT,
        "version": _version(checksum, described),
        "network": described,
        "weights_sha256": checksum,
    }
    card.pop("snapshots_sha256", None)  # of a card that this one was made from
    if snapshots is not None:
        contents[SNAPSHOTS_FILE] = npz_bytes(snapshots.arrays())
        card["snapshots_sha256"] = _sha256(contents[SNAPSHOTS_FILE])
    card = sealed(card)
    contents[CARD_FILE] = (json.dumps(card, indent=2) + "\n").encode()
    for name, content in contents.items():
        if len(content) > MOST_BYTES[name]:
            raise ValueError(f"{name} would have {len(content):,} bytes, and at most {MOST_BYTES[name]:,} are read: save less")
    for name, content in contents.items():
        write_atomically(folder / name, content)
    return card


def sealed(card: dict) -> dict:
    """Return the card as JSON has it, with the checksum of everything else in it. ValueError if it cannot be JSON."""
    card = json.loads(json.dumps({name: value for name, value in card.items() if name != "card_sha256"}, allow_nan=False))
    return {**card, "card_sha256": _card_checksum(card)}


def load(folder: Path) -> tuple[Network, dict]:
    """Read and validate a saved model: the network and its card. CheckpointError says what is wrong with it."""
    card = load_card(folder)
    arrays, described = _weights(folder, card), card["network"]
    try:
        if described["dtype"] not in DTYPES:
            raise ValueError(f"its dtype is {described['dtype']!r:.60}, not {' or '.join(DTYPES)}")
        network = Network(described["layers"], described["dtype"], arrays["parameters"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder / CARD_FILE} does not describe the network in {WEIGHTS_FILE}: {error}") from error
    if card["version"] != _version(card["weights_sha256"], described):
        raise CheckpointError(f"{folder / CARD_FILE} was changed: its version is not that of this network")
    _golden(folder, card, arrays, network)
    return network, card


def load_snapshots(folder: Path, network: Network, card: dict) -> Snapshots | None:
    """The snapshots of a model that `load` gave; None if its maker kept none. CheckpointError says what is wrong with them."""
    if "snapshots_sha256" not in card:
        return None
    content = _read_as_named(folder, SNAPSHOTS_FILE, card["snapshots_sha256"])
    try:
        return Snapshots.from_arrays(npz_arrays(content), network)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{folder / SNAPSHOTS_FILE}: {error}") from error


def load_golden(folder: Path) -> Golden:
    """The golden examples that a model carries. CheckpointError if they cannot be read."""
    card = load_card(folder)
    return _golden(folder, card, _weights(folder, card))


def copy(source: Path, target: Path) -> None:
    """Copy a model's files, the card last: whoever looks in between finds a model that is not whole. CheckpointError if the
    source has no card, or not all that it names."""
    has_snapshots = "snapshots_sha256" in load_card(source)
    for name in FILES:
        if name != SNAPSHOTS_FILE or has_snapshots:
            write_atomically(target / name, _read(source, name))


def load_card(folder: Path) -> dict:
    """Read a model's card alone, its weights unread. CheckpointError if it is missing, damaged or foreign."""
    path = folder / CARD_FILE
    content = _read(folder, CARD_FILE)
    try:
        card = json.loads(content, parse_constant=_number, parse_float=_number, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not the card of a digitnet model (its format should be {FORMAT!r})")
    for key, kind in (("version", str), ("weights_sha256", str), ("network", dict)):
        if not isinstance(card.get(key), kind):
            raise CheckpointError(f"{path} is damaged: it lacks {key!r}")
    if "card_sha256" in card and card["card_sha256"] != _card_checksum(card):
        raise CheckpointError(
            f"{path} was edited: its content does not match its card_sha256. Undo the edit, or save the model anew"
        )
    try:
        Decision.of(card)
    except ValueError as error:
        raise CheckpointError(f"{path} cannot decide on answers: {error}") from error
    return card


def npz_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as the bytes of an .npz file. np.savez writes the time of day into it; this does not: same arrays, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(name + ".npy"), entry.getvalue())
    return buffer.getvalue()


def npz_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays in an .npz file's bytes as npz_bytes makes them: none compressed, none pickled. ValueError for other bytes.

    What such bytes claim to hold costs no memory: nothing is made that is larger than they are.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(entry.file_size for entry in entries) > len(content) or any(entry.compress_type for entry in entries):
                raise ValueError("it is compressed, or promises more than it holds")
            return {entry.filename.removesuffix(".npy"): _npy_array(archive, entry) for entry in entries}
    except UNSOUND as error:
        reason = str(error)[:200] or type(error).__name__  # some repeat what they found: up to 64 KB of the file
        raise ValueError(f"not a sound .npz file ({reason})") from error


def _npy_array(archive, entry):
    """NumPy would make an array of whatever size the header says, and then look whether there is as much to read."""
    with archive.open(entry) as member:
        if np.lib.format.read_magic(member) != (1, 0):
            raise ValueError(f"{entry.filename} is of another version of NumPy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        promised, present = math.prod(shape) * dtype.itemsize, entry.file_size - member.tell()
    if promised != present or min(shape, default=0) < 0:
        raise ValueError(f"{entry.filename} promises an array of {promised} bytes, and {present} follow")
    with archive.open(entry) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the content of a regular file, or of a link to one. OSError for any other, and for a larger one.

    It waits neither for a pipe's writer nor for the end of a device.
    """
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it has {status.st_size:,} bytes, and at most {most_bytes:,} are read")
        return file.read(status.st_size + 1)  # one more byte, so that the checksum of a growing file differs


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content all at once: whoever looks, or whatever ends us, there is the old content or the new.

    Folders on the way are made where they are missing.
    """
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


def _version(weights_checksum, described):
    return _sha256((weights_checksum + json.dumps(described, sort_keys=True)).encode())[:12]


def _card_checksum(card):
    """Of the card's content without the checksum: neither the order of its keys nor white space counts."""
    content = {name: value for name, value in card.items() if name != "card_sha256"}
    return _sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


def _number(text):
    """Python would read NaN, Infinity and 1e999, and no other program could read its answer."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.60} is no JSON number")
    return int(text) if text.lstrip("-").isdecimal() else number


def _weights(folder, card):
    """The arrays of weights.npz."""
    content = _read_as_named(folder, WEIGHTS_FILE, card["weights_sha256"])
    try:
        return npz_arrays(content)
    except ValueError as error:
        raise CheckpointError(f"{folder / WEIGHTS_FILE} is no model's weights: {error}") from error


def _golden(folder, card, arrays, network=None):
    """The golden examples; where a network is given, it must answer them as its maker's did."""
    if "decision" in arrays and "card_sha256" not in card:
        raise CheckpointError(f"{folder / CARD_FILE} was edited: it lacks its checksum. Undo the edit, or save the model anew")
    try:
        golden = Golden.from_arrays(arrays, Decision.of(card))
        if network:
            golden.check(network)
        return golden
    except ValueError as error:
        raise CheckpointError(f"{folder / WEIGHTS_FILE}: {error}") from error


def _read(folder, name):
    path, most_bytes = folder / name, MOST_BYTES[name]
    try:
        # The object store bounds its own files.
        return read_file(path, most_bytes) if isinstance(path, Path) else path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def _read_as_named(folder, name, checksum):
    """What the card says of a file beside it holds, or CheckpointError."""
    content = _read(folder, name)
    if _sha256(content) != checksum:
        raise CheckpointError(f"{folder / name} is damaged or of another model: its checksum is not the one in {CARD_FILE}")
    return content
