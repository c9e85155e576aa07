"""Damaged, cut, swapped and malicious model files are rejected by name within bounded memory."""

import hashlib
import io
import json
import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from digitnet import checkpoint
from digitnet.checkpoint import CARD_FILE, SNAPSHOTS_FILE, WEIGHTS_FILE, npz_bytes, sealed
from stores.models import StoreError
from stores.models.folder import FolderModels

pytestmark = pytest.mark.slow

FREELY = 4_000_000  # bytes of memory in addition to three times the files
UNPACKING = 68_000_000  # bytes that lzma needs for any snapshots


def network(model):
    found, card = model.store.load(model.version)
    return found.specification, found.parameters.tobytes(), card


def snapshots(model):
    return {name: values.tobytes() for name, values in model.store.snapshots(model.version).arrays().items()}


def golden_images(model):
    return model.store.golden_images(model.version).tobytes()


class Model:
    """A version in a store whose files tests damage."""

    def __init__(self, store, version):
        self.store, self.version, self.folder = store, version, store.folder / "versions" / version
        self.sound = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self._read = {read: read(self) for read in (network, snapshots, golden_images)}

    def is_rejected(self, read) -> bool:
        """Return whether `read` raises an error with the file's name; assert bounded memory and the original otherwise."""
        tracemalloc.reset_peak()
        before, reason = tracemalloc.get_traced_memory()[0], None
        try:
            assert read(self) == self._read[read]
        except (StoreError, checkpoint.CheckpointError) as error:
            reason = str(error)
        needed = tracemalloc.get_traced_memory()[1] - before
        files = sum(path.stat().st_size for path in self.folder.iterdir())
        assert needed < FREELY + UNPACKING * (read is snapshots) + 3 * files
        assert reason is None or (reason.startswith(str(self.folder)) and len(reason) < len(str(self.folder)) + 400)
        return reason is not None


@pytest.fixture
def models(model_folder, tmp_path):
    """Publish two models."""
    store = FolderModels(tmp_path / "models")
    tracemalloc.start()
    yield [Model(store, store.publish(model_folder(seed, snapshots=True))["version"]) for seed in range(2)]
    tracemalloc.stop()


@pytest.fixture
def model(models):
    return models[0]


def changed(content: bytes, places, masks=(0xFF, 0x01, 0x20)):
    for place in places:
        for mask in masks:
            yield content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def anywhere(content: bytes):
    return changed(content, np.random.default_rng(0).integers(0, len(content), 300), [0x01])


def header_places(content: bytes) -> list[int]:
    """Return the places of all bytes of an .npz outside the arrays."""
    bodies = set()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            member = archive.open(entry)
            np.lib.format.read_magic(member)
            np.lib.format.read_array_header_1_0(member)
            end = entry.header_offset + 30 + len(entry.filename) + entry.file_size
            bodies |= set(range(end - entry.file_size + member.tell(), end))
    return [place for place in range(len(content)) if place not in bodies]


def cut_or_longer(content: bytes):
    lengths = np.linspace(0, len(content) - 2, 100).astype(int)  # the last byte of a card is only a newline
    return (*(content[:length] for length in lengths), content + b"\0", content + content)


def assert_rejects_all(model, name, damages, *rejecting, reading=()):
    """Assert that `rejecting` reject each damage and `reading` do not. Return the number of damages."""
    count = 0
    for content in damages:
        (model.folder / name).write_bytes(content)
        assert all(map(model.is_rejected, rejecting))
        assert not any(map(model.is_rejected, reading))
        count += 1
    (model.folder / name).write_bytes(model.sound[name])
    return count


def refusals(count):
    return f"{count:,} times", f"refused {count:,} times, with a sentence that names the file"


def test_detects_a_changed_byte(model, documented):
    weights, card, snapshots_file = (model.sound[name] for name in (WEIGHTS_FILE, CARD_FILE, SNAPSHOTS_FILE))
    count = assert_rejects_all(model, WEIGHTS_FILE, changed(weights, header_places(weights)), network)
    documented("bad-files", "weights.npz: every byte of its headers, in three ways", *refusals(count))
    count = assert_rejects_all(model, WEIGHTS_FILE, anywhere(weights), network, snapshots)
    documented("bad-files", "weights.npz: one bit, anywhere", *refusals(count))
    count = assert_rejects_all(model, CARD_FILE, changed(card, range(len(card))), network)
    documented("bad-files", "model.json: every byte, in three ways", *refusals(count))
    in_headers = changed(snapshots_file, header_places(snapshots_file), [0xFF])
    loaded = checkpoint.load(model.folder)
    count = assert_rejects_all(model, SNAPSHOTS_FILE, in_headers, lambda _: checkpoint.load_snapshots(model.folder, *loaded))
    count += assert_rejects_all(model, SNAPSHOTS_FILE, anywhere(snapshots_file), snapshots, reading=(network, golden_images))
    times, effect = refusals(count)
    what = "snapshots.npz: every byte of its headers, and 300 anywhere"
    documented("bad-files", what, times, f"{effect}; the network is read all the same")


def test_detects_a_cut_or_longer_file(model, documented):
    count = sum(assert_rejects_all(model, name, cut_or_longer(content), snapshots) for name, content in model.sound.items())
    what = "weights.npz, snapshots.npz, model.json: cut at 100 places, or longer by a byte or by as much again"
    documented("bad-files", what, *refusals(count))


def test_detects_swapped_files(models, documented):
    (model, other), count = models, 0
    for name in model.sound:
        swaps = [other.sound[name], *(content for another, content in model.sound.items() if another != name)]
        count += assert_rejects_all(model, name, swaps, snapshots)
    times, effect = refusals(count)
    documented("bad-files", "a model's files in each other's place, or another model's", times, effect)


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + content


def npz(content: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("parameters.npy", content)
    return buffer.getvalue()


def test_malicious_weights_do_no_harm(model, tmp_path, documented):
    """Each has a valid card, as an attacker with write access would make it."""
    arrays, trap = checkpoint.npz_arrays(model.sound[WEIGHTS_FILE]), tmp_path / "it-ran"

    class Trap:
        def __reduce__(self):
            return Path.touch, (trap,)

    pickled = pickle.dumps(np.array([Trap()]), protocol=2)
    pickle.loads(pickled)
    assert trap.exists()
    trap.unlink()
    array = "{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }"
    no_golden = {name: arrays[name][:0] for name in arrays if name.startswith("golden")}
    harmful = {
        "a pickle alone": pickled,
        "a pickle as an array": npz(npy(array % ("|O", 1), pickled)),
        "a pickle as an array as long as it should be": npz(npy(array % ("|O", 100), pickled.ljust(800, b"."))),
        "an array of 4 GB": npz(npy(array % ("<f4", 10**9))),
        "an array of 4 PB": npz(npy(array % ("<f4", 10**15))),
        "30 MB in 30 kB": npz(bytes(30_000_000), zipfile.ZIP_DEFLATED),
        "30 MB in 100 bytes": npz(bytes(30_000_000), zipfile.ZIP_BZIP2),
        "a header without an end": npz(npy("((((")),
        "answers that are text": npz_bytes({**arrays, "golden_logits": arrays["golden_logits"].astype("U9")}),
        "pictures that are text": npz_bytes({**arrays, "golden_pictures": arrays["golden_pictures"].astype("U9")}),
        "weights that are not finite": npz_bytes({**arrays, "parameters": arrays["parameters"] * np.float32("nan")}),
        "other weights": npz_bytes({**arrays, "parameters": -arrays["parameters"]}),
        "no golden examples": npz_bytes({**arrays, **no_golden}),
        "other predictions": npz_bytes({**arrays, "golden_is_digit": ~arrays["golden_is_digit"]}),
        "another threshold": npz_bytes({**arrays, "decision": np.array([1.0, -0.5])}),
    }
    for name, content in harmful.items():
        card, checksum = json.loads(model.sound[CARD_FILE]), hashlib.sha256(content).hexdigest()
        card.update(weights_sha256=checksum, version=checkpoint._version(checksum, card["network"]))
        (model.folder / WEIGHTS_FILE).write_bytes(content)
        (model.folder / CARD_FILE).write_bytes(json.dumps(sealed(card)).encode())
        assert model.is_rejected(network), name
        assert model.is_rejected(lambda model: checkpoint.load(model.folder)), name  # also without the folder's version
        assert not trap.exists(), name
    what = (
        "weights.npz made to do harm, with a card that agrees: a pickle, an array of 4 GB, 30 MB in 100 bytes, other weights, …"
    )
    effect = f"{refusals(len(harmful))[1]}; no pickle is run, and no more memory used than three times the file and 4 MB"
    documented("bad-files", what, f"{len(harmful)} ways", effect)
