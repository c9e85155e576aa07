"""A trained network on disk: files in one folder, and no pickle, so that opening a model never runs its code.

    weights.npz     parameters (count,), and golden examples: pictures and the logits that this network gave for them
    snapshots.npz   how it learnt (snapshots.py), where its maker kept that
    model.json      the model card: how the network is built, the checksums of the others, and whatever its maker has to say
                    (accuracy, data, recipe)

The same network makes the same bytes, so a model's version is the hash of what it is. `load` believes nothing: the
checksum, the shapes and the golden answers must all agree before anyone gets the network.
"""

import hashlib
import io
import json
import math
import os
import tokenize
import zipfile
from pathlib import Path

import numpy as np

from digitnet.drawing import in_unit_range
from digitnet.network import PICTURE_SHAPE, Network
from digitnet.snapshots import Snapshots

# In this order: whoever looks while they are put in place finds no card without what it names.
FILES = WEIGHTS_FILE, SNAPSHOTS_FILE, CARD_FILE = "weights.npz", "snapshots.npz", "model.json"
FORMAT = "digitnet-model-1"
GOLDEN_TOLERANCE = 1e-3  # of the largest logit: other processors add in another order, nothing more
# What NumPy and zipfile raise for damaged files; NotImplementedError and RecursionError are RuntimeErrors.
UNSOUND = (
    ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile, RuntimeError, SyntaxError, tokenize.TokenError, MemoryError,
    OverflowError,
)  # fmt: skip


class CheckpointError(ValueError):
    """A model on disk that is missing, damaged or foreign; the message names the file and says what is wrong."""


def save(folder: Path, network: Network, golden_pictures: np.ndarray, about: dict, snapshots: Snapshots | None = None) -> dict:
    """Write the network (float32) into the folder, the card last, and return the card.

    golden_pictures are uint8 (n, 28, 28); `about` is JSON-ready and goes into the card beside what is written here.
    """
    golden_logits = network.predict_logits(in_unit_range(golden_pictures))
    arrays = {"parameters": network.parameters, "golden_pictures": golden_pictures, "golden_logits": golden_logits}
    weights = npz_bytes(arrays)
    described = {
        "layers": network.specification,
        "input_shape": list(PICTURE_SHAPE),
        "dtype": network.dtype.name,
        "parameters": network.parameters.size,
    }
    checksum = hashlib.sha256(weights).hexdigest()
    card = {
        **about,
        "format": FORMAT,
        "version": _version(checksum, described),
        "network": described,
        "weights_sha256": checksum,
    }
    card.pop("snapshots_sha256", None)  # of a card that this one was made from
    write_atomically(folder / WEIGHTS_FILE, weights)
    if snapshots is not None:
        content = npz_bytes(snapshots.arrays())
        card["snapshots_sha256"] = hashlib.sha256(content).hexdigest()
        write_atomically(folder / SNAPSHOTS_FILE, content)
    write_atomically(folder / CARD_FILE, (json.dumps(card, indent=2, allow_nan=False) + "\n").encode())
    return card


def load(folder: Path) -> tuple[Network, dict]:
    """Read and validate a saved model: the network and its card. CheckpointError says what is wrong with it."""
    card = load_card(folder)
    path = folder / WEIGHTS_FILE
    weights = _read_as_named(path, card["weights_sha256"])
    try:
        arrays = npz_arrays(weights)
        parameters, pictures, logits = (arrays[name] for name in ("parameters", "golden_pictures", "golden_logits"))
    except (ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is no model's weights: {error}") from error
    try:
        described = card["network"]
        network = Network(described["layers"], described["dtype"], parameters)
    except (KeyError, TypeError, ValueError, SyntaxError) as error:  # the last of NumPy, for some names of a dtype
        raise CheckpointError(f"{folder / CARD_FILE} does not describe the network in {WEIGHTS_FILE}: {error}") from error
    if card["version"] != _version(card["weights_sha256"], described):
        raise CheckpointError(f"{folder / CARD_FILE} was changed: its version is not that of this network")
    _check_golden(path, network, pictures, logits)
    return network, card


def load_snapshots(folder: Path, network: Network, card: dict) -> Snapshots | None:
    """The snapshots of a model that `load` gave; None if its maker kept none. CheckpointError says what is wrong with them."""
    if "snapshots_sha256" not in card:
        return None
    path = folder / SNAPSHOTS_FILE
    content = _read_as_named(path, card["snapshots_sha256"])
    try:
        return Snapshots.from_arrays(npz_arrays(content), network)
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path}: {error}") from error


def load_golden(folder: Path) -> np.ndarray:
    """The pictures that a model carries, uint8 (n, 28, 28). CheckpointError if they cannot be read."""
    path = folder / WEIGHTS_FILE
    weights = _read_as_named(path, load_card(folder)["weights_sha256"])
    try:
        return npz_arrays(weights)["golden_pictures"]
    except (ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: {error}") from error


def copy(source: Path, target: Path) -> None:
    """Copy a model's files, the card last: whoever looks in between finds a model that is not whole. CheckpointError if the
    source has no card, or not all that it names."""
    has_snapshots = "snapshots_sha256" in load_card(source)
    for name in FILES:
        if name != SNAPSHOTS_FILE or has_snapshots:
            write_atomically(target / name, _read(source / name))


def load_card(folder: Path) -> dict:
    """Read a model's card alone, its weights unread. CheckpointError if it is missing, damaged or foreign."""
    path = folder / CARD_FILE
    content = _read(path)
    try:
        card = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise CheckpointError(f"{path} is not the card of a digitnet model (its format should be {FORMAT!r})")
    for key, kind in (("version", str), ("weights_sha256", str), ("network", dict)):
        if not isinstance(card.get(key), kind):
            raise CheckpointError(f"{path} is damaged: it lacks {key!r}")
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
    return hashlib.sha256((weights_checksum + json.dumps(described, sort_keys=True)).encode()).hexdigest()[:12]


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON number")  # Python would read NaN and Infinity, and others could not read what it writes


def _check_golden(path, network, pictures, logits):
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (28, 28) or logits.shape != (len(pictures), network.classes):
        raise CheckpointError(f"{path} has golden examples of the wrong shape: {pictures.shape}, {logits.shape}")
    if logits.dtype != network.dtype:
        raise CheckpointError(f"{path} has golden answers that are {logits.dtype}, not {network.dtype}")
    if not np.isfinite(network.parameters).all():
        raise CheckpointError(f"{path} holds parameters that are not finite numbers")
    answers = network.predict_logits(in_unit_range(pictures))
    if not np.allclose(answers, logits, rtol=0.0, atol=GOLDEN_TOLERANCE * max(1.0, float(np.abs(logits).max(initial=0.0)))):
        raise CheckpointError(f"{path} does not give the answers that its maker got: refusing to trust it")


def _read(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error


def _read_as_named(path, checksum):
    """What the card says of a file beside it holds, or CheckpointError."""
    content = _read(path)
    if hashlib.sha256(content).hexdigest() != checksum:
        raise CheckpointError(f"{path} is damaged or of another model: its checksum is not the one in {CARD_FILE}")
    return content
