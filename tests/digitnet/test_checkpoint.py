"""Models load bit for bit as saved, and every damaged or foreign file is rejected."""

import hashlib
import io
import json
import os

import numpy as np
import pytest
from bounds import within
from digitnet.checkpoint import (
    CARD_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    _version,
    copy,
    load,
    load_golden,
    npz_arrays,
    npz_bytes,
    save,
    sealed,
    write_atomically,
)
from digitnet.network import Network

LAYERS = [{"conv2d": {"filters": 2, "kernel_size": 5}}, {"maxpool2d": {"size": 4}}, "relu", "flatten", {"dense": {"units": 10}}]
DESCRIBED = {"layers": LAYERS, "input_shape": [1, 28, 28], "dtype": "float32", "parameters": 782}


@pytest.fixture
def network():
    network = Network(LAYERS)
    network.initialize(np.random.default_rng(5))
    return network


@pytest.fixture
def golden(generator):
    return generator.integers(0, 256, (3, 28, 28), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, network, golden):
    save(tmp_path / "model", network, golden, {"accuracy": 0.99})
    return tmp_path / "model"


def card_of(folder):
    return json.loads((folder / CARD_FILE).read_text())


def write_card(folder, card):
    (folder / CARD_FILE).write_text(json.dumps(card))


# Changes by someone who knows the format: checksums and version agree.


def change(make):
    """Turn make(folder, …) into a function that returns the change of a folder."""
    return lambda *values, **named: lambda folder: make(folder, *values, **named)


@change
def card(folder, **changes):
    changed = card_of(folder) | changes
    write_card(folder, sealed(changed | {"version": _version(changed["weights_sha256"], changed["network"])}))


@change
def described(folder, **changes):
    card(network=card_of(folder)["network"] | changes)(folder)


@change
def weights_file(folder, content):
    (folder / WEIGHTS_FILE).write_bytes(content)
    card(weights_sha256=hashlib.sha256(content).hexdigest())(folder)


@change
def weights(folder, **changes):
    """Replace arrays. A function receives the old array; None removes it."""
    arrays = npz_arrays((folder / WEIGHTS_FILE).read_bytes())
    for name, new in changes.items():
        arrays[name] = new(arrays[name]) if callable(new) else new
    weights_file(npz_bytes({name: array for name, array in arrays.items() if array is not None}))(folder)


def of_an_earlier_release(folder):
    """Remove the decision, the predictions and the card's checksum, which older releases did not save."""
    later = ("decision", "golden_probabilities", "golden_no_digit", "golden_is_digit")
    weights(**dict.fromkeys(later))(folder)
    write_card(folder, {name: value for name, value in card_of(folder).items() if name != "card_sha256"})


# Changes by someone who does not.
def file(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def edited(old, new):
    return lambda folder: (folder / CARD_FILE).write_text((folder / CARD_FILE).read_text().replace(old, new, 1))


def of_another_version(**changes):
    """Change the card; the version stays unless it is among the changes."""
    return lambda folder: write_card(folder, sealed(card_of(folder) | changes))


def as_text(array):
    return array.astype("U9")


WRONG_SHAPES = {
    (3, 28, 27): "golden images should be",
    (): "golden images should be",
    (2, 28, 28): "its golden_logits should be float32",
}
REJECTED = [
    (lambda folder: (folder / WEIGHTS_FILE).unlink(), f"{WEIGHTS_FILE} cannot be read: No such file"),
    (lambda folder: (folder / CARD_FILE).unlink(), f"{CARD_FILE} cannot be read: No such file"),
    (file(WEIGHTS_FILE, npz_bytes({})), "damaged"),
    # a foreign card
    (file(CARD_FILE, b"\xff\xfe"), "not JSON"),
    (file(CARD_FILE, b"[" * 100_000), "not JSON"),
    (file(CARD_FILE, b"[]"), "not the card of a digitnet model"),
    (file(CARD_FILE, b'{"format": "onnx"}'), "not the card of a digitnet model"),
    (file(CARD_FILE, b'{"format": "digitnet-model-1", "version": "x"}'), "is not the card of a digitnet model"),
    (file(CARD_FILE, b'{"format": "digitnet-model-1", "version": 5}'), "is not the card of a digitnet model"),
    *((edited("0.99", number), "not JSON: .* is not a JSON number") for number in ("1e999", "9" * 400, "NaN")),
    # an edited card
    (edited("0.99", "0.98"), f"{CARD_FILE} was edited: "),
    (edited('"card_sha256"', '"card"'), f"{CARD_FILE} was edited: it lacks its checksum"),
    (card(temperature=2.0), "its temperature or threshold differs"),
    (card(no_digit_threshold=0.25), "its temperature or threshold differs"),
    (of_another_version(version="000000000000"), "its version is not that of this network"),
    (of_another_version(network=DESCRIBED | {"parameters": 3}), "its version is not that of this network"),
    # a card of another network
    (described(layers=["flatten", {"dense": {"units": 10}}]), "this network has 7850 parameters"),
    (described(layers=["flatten", "softplus"]), "unknown layer"),
    (described(dtype="float64"), "does not describe"),
    (described(dtype="float16"), "its dtype is 'float16', not float32 or float64"),
    # other weights, golden images and answers
    (weights(parameters=lambda found: found[::-1]), "does not give the answers that its maker got"),
    (weights(parameters=lambda found: np.full_like(found, np.nan)), "not finite"),
    (weights(golden_probabilities=lambda found: found[:, ::-1]), "does not give the predictions that its maker got"),
    (weights(golden_no_digit=lambda found: found + np.float32(0.1)), "does not give the predictions that its maker got"),
    (weights(golden_is_digit=np.invert), "does not give the predictions that its maker got"),
    (weights(golden_logits=as_text), "its golden_logits should be float32"),
    (weights(golden_logits=lambda found: found.astype(np.float64)), "its golden_logits should be float32 .*, not float64"),
    (weights(golden_probabilities=as_text), "its golden_probabilities should be"),
    (weights(golden_is_digit=as_text), "its golden_is_digit should be bool"),
    (weights(golden_logits=None), "it lacks 'golden_logits'"),
    *((weights(golden_pictures=np.zeros(shape, np.uint8)), complaint) for shape, complaint in WRONG_SHAPES.items()),
]


@pytest.mark.parametrize(("change", "complaint"), REJECTED)
def test_rejects_a_damaged_model(folder, change, complaint):
    load(folder)
    change(folder)
    with pytest.raises(CheckpointError, match=f"^{folder}/.*{complaint}"):
        load(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("temperature", value) for value in (0.0099, 100.1, "1.4", True)),
        *(("no_digit_threshold", value) for value in (-0.1, 1.0001)),
    ],
)
def test_neither_saves_nor_loads_a_decision_out_of_range(folder, tmp_path, network, golden, name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a number from "):
        save(tmp_path / "never", network, golden, {name: value})
    assert not (tmp_path / "never").exists()
    of_an_earlier_release(folder)  # its card has no checksum
    write_card(folder, card_of(folder) | {name: value})
    with pytest.raises(CheckpointError, match=f"{name} must be a number from "):
        load(folder)


@pytest.mark.parametrize("count", [0, 101])
def test_a_model_has_1_to_100_golden_examples(folder, tmp_path, network, count):
    golden, complaint = np.zeros((count, 28, 28), np.uint8), f"has 1 to 100 golden examples, but this one has {count}"
    with pytest.raises(ValueError, match=complaint):
        save(tmp_path / "never", network, golden, {})
    weights(golden_pictures=golden, golden_logits=np.zeros((count, 10), np.float32))(folder)
    with pytest.raises(CheckpointError, match=complaint):
        load(folder)


def test_loads_what_was_saved_bit_for_bit(folder, tmp_path, network, golden):
    loaded, card = load(folder)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    assert loaded.parameters.flags.writeable  # training may continue
    assert (loaded.specification, card["network"], card["accuracy"]) == (network.specification, DESCRIBED, 0.99)
    assert save(tmp_path / "again", loaded, golden, {"accuracy": 0.99}) == card


def test_version_covers_the_decision_and_no_measurement(tmp_path, network, golden):
    def version(**about):
        return save(tmp_path, network, golden, about)["version"]

    first = version()
    assert version(note="measured again") == version(temperature=1, no_digit_threshold=1.0) == first
    assert len({first, version(temperature=1.5), version(no_digit_threshold=0.5)}) == 3
    network.parameters[0] = np.nextafter(network.parameters[0], np.float32(9.0))
    assert version() != first


def test_reads_a_card_with_reordered_keys(folder):
    card = card_of(folder)
    write_card(folder, dict(reversed(card.items())))
    assert load(folder)[1] == card


def test_loads_a_model_of_an_earlier_release(tmp_path, network, golden):
    saved = save(tmp_path, network, golden, {"temperature": 1.5})
    predictions = load_golden(tmp_path).predictions
    of_an_earlier_release(tmp_path)
    loaded, card = load(tmp_path)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    assert card["version"] != saved["version"]
    for before, now in zip(predictions, load_golden(tmp_path).predictions):
        np.testing.assert_array_equal(before, now)


IRREGULAR = {
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a huge file": lambda path: (path.touch(), os.truncate(path, 2**40)),
}


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CARD_FILE])
@pytest.mark.parametrize("make", IRREGULAR.values(), ids=IRREGULAR)
def test_rejects_pipes_devices_and_huge_files(folder, tmp_path, documented, name, make):
    (folder / name).unlink()
    make(folder / name)
    for read in (load, load_golden, lambda source: copy(source, tmp_path / "copy")):
        with within(), pytest.raises(CheckpointError, match=f"^{folder / name} cannot be read: it (is not a reg|has 1,0)"):
            read(folder)
    documented(
        "bad-files",
        "a link to /dev/zero, a pipe, or a file of 1 TiB instead of a model's file",
        "rejected before it is read; the error names the file",
    )


def test_loads_through_links_to_regular_files(folder, tmp_path):
    for name in (WEIGHTS_FILE, CARD_FILE):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    load(folder)


HUGE = {  # as many parameters, and one output shape
    "padding": [{"conv2d": {"filters": 2, "kernel_size": 5, "padding": 30_000}}, {"maxpool2d": {"size": 10_004}}],
    "layers": [*LAYERS[:2], *["relu"] * 50_000],
}


@pytest.mark.parametrize("first", HUGE.values(), ids=HUGE)
def test_rejects_a_huge_network_before_allocating_memory(folder, documented, first):
    described(layers=[*first, *LAYERS[2:]])(folder)
    with within(), pytest.raises(CheckpointError, match=r"not describe the network .* (more than 1,048,576|at most 100)"):
        load(folder)
    documented(
        "bad-files",
        "a model.json that describes a huge network, with valid checksums",
        "rejected before memory is allocated; the error names the layer or the limit",
    )


def test_saves_no_card_that_json_cannot_hold(tmp_path, network, golden):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path / "never", network, golden, {"loss": float("nan")})
    assert not (tmp_path / "never").exists()


def test_never_runs_a_pickle(folder, tmp_path):
    witness = tmp_path / "it-ran"

    class Trap:
        def __reduce__(self):
            return (witness.write_text, ("!",))

    buffer = io.BytesIO()
    np.savez(buffer, parameters=np.array([Trap()]))
    weights_file(buffer.getvalue())(folder)
    with pytest.raises(CheckpointError, match=r"not a sound \.npz file"):
        load(folder)
    assert not witness.exists()


def test_an_interrupted_write_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def power_cut(*_):
        raise OSError("power cut")

    monkeypatch.setattr("os.replace", power_cut)
    with pytest.raises(OSError, match="power cut"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
