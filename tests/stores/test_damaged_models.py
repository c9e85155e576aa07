"""A model in the store with any of its bytes changed, cut off, added or put in another's place: refused by its name, or the very
same network, within bounds of memory, and no pickle is ever run."""

import hashlib
import io
import json
import pickle
import shutil
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from digitnet.checkpoint import (
    CARD_FILE,
    SNAPSHOTS_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    _version,
    load,
    load_snapshots,
    npz_arrays,
    npz_bytes,
    sealed,
)
from stores.folder_models import FolderModels
from stores.models import StoreError

pytestmark = pytest.mark.slow

MASKS = (0xFF, 0x01, 0x20)
PLACES = 300  # in the body, where there are too many to try them all
FREELY = 4_000_000  # bytes of memory beside three times the files,
UNPACKING = 68_000_000  # and what lzma needs to unpack sound snapshots, of whatever size
REFUSED, SAME = "refused", "the same"


class Model:
    """A version in a store, whose files can be damaged; what is read of it is compared with what it was."""

    def __init__(self, store, version):
        self.store, self.version, self.folder = store, version, store.folder / "versions" / version
        self.network, self.card = store.load(version)
        self.snapshots, self.golden_pictures = store.snapshots(version), store.golden_pictures(version)
        self.sound = {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def loaded(self, figures=True) -> str:
        """REFUSED, in a sentence that names the file, or SAME. Fails for another network or card, another error, or much memory.

        Without `figures` the card may be another.
        """

        def is_the_same(found):
            network, card = found
            is_same_network = network.parameters.tobytes() == self.network.parameters.tobytes()
            return is_same_network and network.specification == self.network.specification and (card == self.card or not figures)

        return self._read(self.store.load, is_the_same)

    def loaded_with_all(self, figures=True) -> tuple[str, str, str]:
        """The same of its network, its snapshots and its golden pictures. Snapshots may be missing from the card."""
        return (
            self.loaded(figures),
            self.loaded_snapshots(self.store.snapshots),
            self._read(self.store.golden_pictures, lambda found: np.array_equal(found, self.golden_pictures)),
        )

    def loaded_snapshots(self, read) -> str:
        return self._read(read, lambda found: found is None or _equal(found.arrays(), self.snapshots.arrays()), UNPACKING)

    def _read(self, read, is_the_same, needed_besides=0):
        found, reason = None, None
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        try:
            found = read(self.version)
        except (StoreError, CheckpointError) as error:
            reason = str(error)
        needed = tracemalloc.get_traced_memory()[1] - before
        assert needed < FREELY + needed_besides + 3 * sum(path.stat().st_size for path in self.folder.iterdir())
        if reason is None:
            assert is_the_same(found)
            return SAME
        assert reason.startswith(str(self.folder))
        assert len(reason) < len(str(self.folder)) + 400
        return REFUSED


@pytest.fixture
def new_model(save_model, tmp_path):
    """new_model(seed): such a model."""
    store = FolderModels(tmp_path / "models")

    def new_model(seed=0):
        save_model(tmp_path / "artifacts", seed, snapshots=True)
        return Model(store, store.publish(tmp_path / "artifacts")["version"])

    tracemalloc.start()
    yield new_model
    tracemalloc.stop()


@pytest.fixture
def model(new_model):
    return new_model()


def changed(content: bytes, place: int, mask: int) -> bytes:
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


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


def said(counted: Counter) -> str:
    """In words; nothing but REFUSED and SAME is ever counted."""
    words = {REFUSED: "refused {:,} times, with a sentence that names the file", SAME: "{:,} times the same model"}
    return "; ".join(words[outcome].format(counted[outcome]) for outcome in (REFUSED, SAME) if counted[outcome])


def test_a_byte_of_the_weights_headers_is_noticed(model, documented):
    content, counted = model.sound[WEIGHTS_FILE], Counter()
    for place in header_places(content):
        for mask in MASKS:
            model.put(WEIGHTS_FILE, changed(content, place, mask))
            counted[model.loaded()] += 1
    documented("bad-files", "weights.npz: every byte of its headers, in three ways", f"{counted.total():,} times", said(counted))


def test_a_byte_of_the_weights_is_noticed(model, documented):
    content, counted = model.sound[WEIGHTS_FILE], Counter()
    for place in np.random.default_rng(0).integers(0, len(content), PLACES):
        model.put(WEIGHTS_FILE, changed(content, place, 0x01))
        counted[model.loaded_with_all()[0]] += 1
    documented("bad-files", "weights.npz: one bit, anywhere", f"{counted.total():,} times", said(counted))


def test_a_byte_of_the_snapshots_is_noticed_and_the_network_is_served_without_them(model, documented):
    content, card = model.sound[SNAPSHOTS_FILE], model.store.card(model.version)
    places = header_places(content)
    for place in places:
        model.put(SNAPSHOTS_FILE, changed(content, place, 0xFF))
        assert model.loaded_snapshots(lambda _: load_snapshots(model.folder, model.network, card)) == REFUSED
    for place in np.random.default_rng(0).integers(0, len(content), PLACES):
        model.put(SNAPSHOTS_FILE, changed(content, place, 0x01))
        assert model.loaded_with_all() == (SAME, REFUSED, SAME)
    counted = Counter({REFUSED: len(places) + PLACES})
    documented(
        "bad-files",
        "snapshots.npz: every byte of its headers, and 300 anywhere",
        f"{counted.total():,} times",
        f"{said(counted)}; the network is read all the same",
    )


def test_a_byte_of_the_card_is_noticed(model, documented):
    content, counted = model.sound[CARD_FILE], Counter()
    for place in range(len(content)):
        for mask in MASKS:
            model.put(CARD_FILE, changed(content, place, mask))
            counted[model.loaded()] += 1
    assert set(counted) == {REFUSED}
    documented("bad-files", "model.json: every byte, in three ways", f"{counted.total():,} times", said(counted))


@pytest.mark.parametrize("dtype", [",loat32", "f4,f4", "(1,)f4", "U5", "|V8", "O", "int8", "datetime64[s]", "\ud800", ""])
def test_a_card_that_names_another_kind_of_number_is_refused(model, dtype):
    """The first is one changed byte, and once came through as a SyntaxError."""
    card = json.loads(model.sound[CARD_FILE])
    card["network"]["dtype"] = dtype
    model.put(CARD_FILE, json.dumps(sealed(card)).encode())
    assert model.loaded() == REFUSED


ODD = {
    "nothing": None,
    "a truth value": True,
    "a number": 5,
    "a huge number": 10**100,
    "an empty text": "",
    "half a surrogate pair": "\ud800",
    "an empty list": [],
    "a list": ["flatten"],
    "an empty object": {},
    "a huge layer": {"dense": {"units": 10**12}},
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_a_card_with_anything_in_a_value_s_place_is_refused(model, value):
    """With a checksum that agrees, it may be the same network: the maker's figures are free."""
    card = json.loads(model.sound[CARD_FILE])
    for path in places_in(card):
        damaged = json.loads(model.sound[CARD_FILE])
        inner = damaged
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        model.put(CARD_FILE, json.dumps(damaged).encode())
        assert model.loaded() == REFUSED
        model.put(CARD_FILE, json.dumps(sealed(damaged)).encode())
        model.loaded_with_all(figures=False)


def places_in(value, path=()):
    """The way to each value within, and to each within those."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places_in(each, (*path, key))


def test_what_is_cut_off_or_added_is_noticed(model, documented):
    counted = Counter()
    for name, content in model.sound.items():
        lengths = np.linspace(0, len(content) - 2, 100).astype(int)  # a card without its last byte, an end of line, is whole
        for damaged in (*(content[:length] for length in lengths), content + b"\0", content + content):
            model.put(name, damaged)
            counted[model.loaded_with_all()[1]] += 1
        model.put(name, content)
    assert set(counted) == {REFUSED}
    documented(
        "bad-files",
        "weights.npz, snapshots.npz, model.json: cut at 100 places, or longer by a byte or by as much again",
        f"{counted.total():,} times",
        said(counted),
    )


def test_files_in_each_other_s_place_are_noticed(new_model, documented):
    model, other, counted = new_model(1), new_model(2), Counter()
    swaps = [(name, other.sound[name]) for name in model.sound]
    swaps += [(name, model.sound[another]) for name in model.sound for another in model.sound if name != another]
    for name, content in swaps:
        model.put(name, content)
        counted[model.loaded_with_all()[1]] += 1
        model.put(name, model.sound[name])
    assert set(counted) == {REFUSED}
    documented(
        "bad-files", "a model's files in each other's place, or another model's", f"{counted.total()} times", said(counted)
    )


def test_a_file_that_is_missing_is_named(model):
    for name in model.sound:
        (model.folder / name).unlink()
        assert model.loaded_with_all()[1] == REFUSED
        model.put(name, model.sound[name])
    shutil.rmtree(model.folder)
    with pytest.raises(StoreError, match=f"^{model.folder}/model.json cannot be read: No such file"):
        model.store.load(model.version)


class Trap:
    """Whoever unpickles it makes a file."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + content


def npz(name: str, content: bytes, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def test_what_is_made_to_do_harm_does_none(model, tmp_path, documented):
    """All with a card that agrees, as whoever could write into the store would write one."""
    arrays, trap = npz_arrays(model.sound[WEIGHTS_FILE]), tmp_path / "it-ran"
    pickled = pickle.dumps(np.array([Trap(trap)]), protocol=2)
    pickle.loads(pickled)
    assert trap.exists()
    trap.unlink()
    objects = "{'descr': '|O', 'fortran_order': False, 'shape': (%d,), }"
    harmful = {
        "a pickle alone": pickled,
        "a pickle as an array": npz("parameters.npy", npy(objects % 1, pickled)),
        "a pickle as an array as long as it should be": npz("parameters.npy", npy(objects % 100, pickled.ljust(800, b"."))),
        "an array of 4 GB": npz("parameters.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }")),
        "an array of 4 PB": npz(
            "parameters.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }")
        ),
        "30 MB in 30 kB": npz("parameters.npy", bytes(30_000_000), zipfile.ZIP_DEFLATED),
        "30 MB in 100 bytes": npz("parameters.npy", bytes(30_000_000), zipfile.ZIP_BZIP2),
        "a header without an end": npz("parameters.npy", npy("((((")),
        "answers that are text": npz_bytes({**arrays, "golden_logits": arrays["golden_logits"].astype("U9")}),
        "pictures that are text": npz_bytes({**arrays, "golden_pictures": arrays["golden_pictures"].astype("U9")}),
        "weights that are not finite": npz_bytes({**arrays, "parameters": arrays["parameters"] * np.float32("nan")}),
        "other weights": npz_bytes({**arrays, "parameters": -arrays["parameters"]}),
        "no golden examples": npz_bytes({**arrays, **{name: arrays[name][:0] for name in arrays if name.startswith("golden")}}),
        "other predictions": npz_bytes({**arrays, "golden_is_digit": ~arrays["golden_is_digit"]}),
        "another threshold": npz_bytes({**arrays, "decision": np.array([1.0, -0.5])}),
    }
    del arrays
    counted, names = Counter(), {}
    for name, content in harmful.items():
        names[name] = put_with_a_card_that_agrees(model, content)
        counted[model.loaded()] += 1
        assert not trap.exists(), name
    assert set(counted) == {REFUSED}
    documented(
        "bad-files",
        "weights.npz made to do harm, with a card that agrees: a pickle, an array of 4 GB, 30 MB in 100 bytes, other weights, …",
        f"{counted.total()} ways",
        f"{said(counted)}; no pickle is run, and no more memory used than three times the file and 4 MB",
    )


def put_with_a_card_that_agrees(model, weights):
    card, checksum = json.loads(model.sound[CARD_FILE]), hashlib.sha256(weights).hexdigest()
    card.update(weights_sha256=checksum, version=_version(checksum, card["network"]))
    model.put(WEIGHTS_FILE, weights)
    model.put(CARD_FILE, json.dumps(sealed(card)).encode())


def test_weights_made_to_do_harm_are_refused_for_what_they_are(model):
    """Not for being another version than the folder's name says."""
    put_with_a_card_that_agrees(model, npz("parameters.npy", npy("((((")))
    with pytest.raises(CheckpointError, match=r"is no model's weights: not a sound \.npz file"):
        load(model.folder)


def _equal(arrays, others):
    return arrays.keys() == others.keys() and all(arrays[name].tobytes() == others[name].tobytes() for name in arrays)
