"""Save and load are equal bit for bit, and nothing that is not exactly a model gets through."""

import hashlib
import io
import json
import pickle
import shutil

import numpy as np
import pytest
from digitnet.checkpoint import (
    CARD_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    _version,
    load,
    load_card,
    npz_bytes,
    save,
    write_atomically,
)
from digitnet.network import Network

LAYERS = [{"conv2d": {"filters": 2, "kernel_size": 5}}, {"maxpool2d": {"size": 4}}, "relu", "flatten", {"dense": {"units": 10}}]


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


def change_card(folder, change):
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    (folder / CARD_FILE).write_text(json.dumps(card))


def replace_weights(folder, **changes):
    """Another weights.npz whose checksum the card agrees with."""
    with np.load(folder / WEIGHTS_FILE) as arrays:
        replace_weights_file(folder, npz_bytes({**arrays, **changes}))


def replace_weights_file(folder, content):
    (folder / WEIGHTS_FILE).write_bytes(content)

    def agree(card):
        checksum = hashlib.sha256(content).hexdigest()
        card.update(weights_sha256=checksum, version=_version(checksum, card["network"]))

    change_card(folder, agree)


def test_what_was_saved_is_loaded_bit_for_bit(folder, network, generator):
    loaded, card = load(folder)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    assert loaded.specification == network.specification
    pictures = generator.random((9, 28, 28))
    assert loaded.predict(pictures).tobytes() == network.predict(pictures).tobytes()
    assert card["accuracy"] == 0.99
    assert card["network"]["parameters"] == network.parameters.size


def test_saving_what_was_loaded_makes_the_same_bytes(folder, tmp_path, golden):
    loaded, card = load(folder)
    again = save(tmp_path / "again", loaded, golden, {"accuracy": 0.99})
    assert again == card
    assert (tmp_path / "again" / WEIGHTS_FILE).read_bytes() == (folder / WEIGHTS_FILE).read_bytes()


def test_the_version_says_what_the_model_is(tmp_path, network, golden):
    version = save(tmp_path, network, golden, {})["version"]
    assert save(tmp_path, network, golden, {"note": "measured again"})["version"] == version
    network.parameters[0] = np.nextafter(network.parameters[0], np.float32(9.0))
    assert save(tmp_path, network, golden, {})["version"] != version


def test_a_loaded_network_can_be_trained_on(folder):
    loaded, _ = load(folder)
    before = loaded.parameters.copy()
    loaded.loss_and_gradients(np.ones((2, 28, 28)), np.array([1, 2]))
    loaded.parameters -= 0.1 * loaded.gradients
    assert not np.array_equal(loaded.parameters, before)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CARD_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=f"{name} cannot be read: No such file"):
        load(folder)


def test_any_damaged_byte_of_the_weights_is_noticed(folder, generator):
    path = folder / WEIGHTS_FILE
    content = path.read_bytes()
    for place in generator.integers(0, len(content), 40):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(CheckpointError, match="damaged"):
            load(folder)


@pytest.mark.parametrize("kept", [0, 1, 1000])
def test_truncated_weights_are_noticed(folder, kept):
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not the card of a digitnet model"),
        (b'{"format": "onnx"}', "not the card of a digitnet model"),
        (b'{"format": "digitnet-model-1", "version": "x"}', "lacks 'weights_sha256'"),
        (b'{"format": "digitnet-model-1", "version": 5, "weights_sha256": "x", "network": {}}', "lacks 'version'"),
        (b'{"format": "digitnet-model-1", "accuracy": NaN}', "not JSON: .*NaN is no JSON number"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_foreign_card_is_refused(folder, content, complaint):
    (folder / CARD_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=complaint):
        load_card(folder)
    with pytest.raises(CheckpointError, match=complaint):
        load(folder)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"layers": ["flatten", {"dense": {"units": 10}}]}, "this network has 7850 parameters"),
        ({"layers": ["flatten", "softplus"]}, "no such layer"),
        ({"layers": 5}, "does not describe"),
        ({"input_shape": [1, 32, 32]}, "was changed"),
        ({"parameters": 3}, "was changed"),
        ({"dtype": "float64"}, "does not describe"),
        ({"dtype": "no such type"}, "does not describe"),
    ],
)
def test_a_card_that_describes_another_network_is_refused(folder, change, complaint):
    change_card(folder, lambda card: card["network"].update(change))
    with pytest.raises(CheckpointError, match=complaint):
        load(folder)


def test_a_version_that_is_not_this_model_s_is_refused(folder):
    change_card(folder, lambda card: card.update(version="000000000000"))
    with pytest.raises(CheckpointError, match="its version is not that of this network"):
        load(folder)


def test_a_card_that_would_not_be_json_is_not_written(tmp_path, network, golden):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path, network, golden, {"loss": float("nan")})


def test_weights_that_answer_otherwise_than_their_maker_s_are_refused(folder, network):
    replace_weights(folder, parameters=network.parameters[::-1].copy())
    with pytest.raises(CheckpointError, match="does not give the answers that its maker got"):
        load(folder)


def test_weights_that_are_not_numbers_are_refused(folder, network):
    replace_weights(folder, parameters=np.full_like(network.parameters, np.nan))
    with pytest.raises(CheckpointError, match="not finite"):
        load(folder)


@pytest.mark.parametrize("shape", [(3, 28, 27), (3, 784), (2, 28, 28), ()])
def test_golden_examples_of_another_shape_are_refused(folder, shape):
    replace_weights(folder, golden_pictures=np.zeros(shape, np.uint8))
    with pytest.raises(CheckpointError, match="golden examples of the wrong shape"):
        load(folder)


def test_a_pickle_in_the_weights_is_refused_and_never_run(folder, tmp_path):
    witness = tmp_path / "it-ran"

    class Trap:
        def __reduce__(self):
            return (witness.write_text, ("!",))

    buffer = io.BytesIO()
    np.savez(buffer, parameters=np.array([Trap()]), golden_pictures=np.array([Trap()]), golden_logits=np.array([Trap()]))
    assert not witness.exists()  # written, not yet run
    replace_weights_file(folder, buffer.getvalue())
    with pytest.raises(CheckpointError, match="no model's weights"):
        load(folder)
    assert not witness.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY", pickle.dumps([1])])
def test_a_foreign_file_with_a_right_checksum_is_refused(folder, content):
    replace_weights_file(folder, content)
    with pytest.raises(CheckpointError, match="no model's weights"):
        load(folder)


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def power_cut(*_):
        raise OSError("power cut")

    monkeypatch.setattr("os.replace", power_cut)
    with pytest.raises(OSError, match="power cut"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_copy_of_the_folder_is_the_same_model(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    assert load(tmp_path / "copy")[1] == load(folder)[1]
