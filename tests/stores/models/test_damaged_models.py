"""A published model whose files are changed, cut, swapped or made to do harm: refused by name, within bounds of memory."""

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

FREELY = 4_000_000  # bytes of memory beside three times the files,
UNPACKING = 68_000_000  # and what lzma needs to unpack sound snapshots, of whatever size


def network(model):
    found, card = model.store.load(model.version)
    return found.specification, found.parameters.tobytes(), card


def snapshots(model):
    return {name: values.tobytes() for name, values in model.store.snapshots(model.version).arrays().items()}


def golden_images(model):
    return model.store.golden_images(model.version).tobytes()


class Model:
    """A version in a store, whose files can be damaged."""

    def __init__(self, store, version):
        self.store, self.version, self.folder = store, version, store.folder / "versions" / version
        self.sound = {path.name: path.read_bytes() for path in self.folder.iterdir()}
        self._read = {read: read(self) for read in (network, snapshots, golden_images)}

    def is_refused(self, read) -> bool:
        """In a sentence that names the file. Fails for anything else than what was there, and for much memory."""
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
    """Two of them."""
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
    """All bytes of an .npz but those of the arrays themselves."""
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
    lengths = np.linspace(0, len(content) - 2, 100).astype(int)  # a card without its last byte, an end of line, is whole
    return (*(content[:length] for length in lengths), content + b"\0", content + content)


def refuse_all(model, name, damages, *refusing, reading=()):
    """Check that each damage to this file makes `refusing` fail, and `reading` succeed."""
    for content in damages:
        (model.folder / name).write_bytes(content)
        assert all(map(model.is_refused, refusing))
        assert not any(map(model.is_refused, reading))
    (model.folder / name).write_bytes(model.sound[name])


DAMAGED = "a model's file with a changed byte, cut, longer, or swapped with another"
REJECTED = "rejected; the error names the file"


def test_a_changed_byte_is_noticed(model, documented):
    weights, card, snapshots_file = (model.sound[name] for name in (WEIGHTS_FILE, CARD_FILE, SNAPSHOTS_FILE))
    refuse_all(model, WEIGHTS_FILE, changed(weights, header_places(weights)), network)
    refuse_all(model, WEIGHTS_FILE, anywhere(weights), network, snapshots)
    refuse_all(model, CARD_FILE, changed(card, range(len(card))), network)
    documented("bad-files", DAMAGED, REJECTED)
    in_headers = changed(snapshots_file, header_places(snapshots_file), [0xFF])
    loaded = checkpoint.load(model.folder)
    refuse_all(model, SNAPSHOTS_FILE, in_headers, lambda _: checkpoint.load_snapshots(model.folder, *loaded))
    refuse_all(model, SNAPSHOTS_FILE, anywhere(snapshots_file), snapshots, reading=(network, golden_images))
    documented("bad-files", "snapshots.npz with a changed byte", f"{REJECTED}; the network still loads")


def test_a_cut_or_longer_file_is_noticed(model, documented):
    for name, content in model.sound.items():
        refuse_all(model, name, cut_or_longer(content), snapshots)
    documented("bad-files", DAMAGED, REJECTED)


def test_files_in_each_other_s_place_are_noticed(models, documented):
    model, other = models
    for name in model.sound:
        swaps = [other.sound[name], *(content for another, content in model.sound.items() if another != name)]
        refuse_all(model, name, swaps, snapshots)
    documented("bad-files", DAMAGED, REJECTED)


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + content


def npz(content: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("parameters.npy", content)
    return buffer.getvalue()


def test_weights_made_to_do_harm_do_none(model, tmp_path, documented):
    """All with a card that agrees, as whoever could write into the store would write one."""
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
        assert model.is_refused(network), name
        assert model.is_refused(lambda model: checkpoint.load(model.folder)), name  # whatever version the folder's name says
        assert not trap.exists(), name
    documented(
        "bad-files",
        "weights made to do harm, with a matching card: a pickle, an array of 4 GB, 30 MB in 100 bytes, …",
        f"{REJECTED}; no pickle runs, and memory stays below three times the file plus 4 MB",
    )
