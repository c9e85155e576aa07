"""Save and load are equal bit for bit, and nothing that is not exactly a model gets through."""

import hashlib
import io
import json
import os
import pickle
import shutil
import tracemalloc

import numpy as np
import pytest
from bounds import within
from digitnet.checkpoint import (
    CARD_FILE,
    MOST_BYTES,
    WEIGHTS_FILE,
    CheckpointError,
    _version,
    copy,
    load,
    load_card,
    load_golden,
    npz_arrays,
    npz_bytes,
    save,
    sealed,
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
    """As somebody would who knows how a model is saved: the card's own checksum agrees."""
    card = json.loads((folder / CARD_FILE).read_text())
    change(card)
    card["version"] = _version(card["weights_sha256"], card["network"])
    (folder / CARD_FILE).write_text(json.dumps(sealed(card)))


def replace_weights(folder, **changes):
    """Another weights.npz whose checksum the card agrees with."""
    replace_weights_file(folder, npz_bytes({**npz_arrays((folder / WEIGHTS_FILE).read_bytes()), **changes}))


def replace_weights_file(folder, content):
    (folder / WEIGHTS_FILE).write_bytes(content)
    change_card(folder, lambda card: card.update(weights_sha256=hashlib.sha256(content).hexdigest()))


def as_of_an_earlier_release(folder):
    """The same model as digitnet saved it before: no decision, no predictions, no checksum of the card."""
    arrays = npz_arrays((folder / WEIGHTS_FILE).read_bytes())
    replace_weights_file(folder, npz_bytes({name: arrays[name] for name in ("parameters", "golden_pictures", "golden_logits")}))
    card = json.loads((folder / CARD_FILE).read_text())
    del card["card_sha256"]
    (folder / CARD_FILE).write_text(json.dumps(card))


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


def test_the_version_covers_what_decides_an_answer_and_no_figure(tmp_path, network, golden):
    def version(**about):
        return save(tmp_path, network, golden, about)["version"]

    first = version()
    assert version(note="measured again") == version(temperature=1, no_digit_threshold=1.0) == first
    assert len({first, version(temperature=1.5), version(no_digit_threshold=0.5)}) == 3
    network.parameters[0] = np.nextafter(network.parameters[0], np.float32(9.0))
    assert version() != first


class TestCard:
    """Its checksum covers every figure, and its numbers are checked where the checksum agrees, too."""

    @pytest.mark.parametrize("change", [("0.99", "0.98"), ('"accuracy"', '"ACCURACY"'), ('"card_sha256"', '"card"')])
    def test_one_that_was_edited_is_refused(self, folder, change):
        card = (folder / CARD_FILE).read_text()
        (folder / CARD_FILE).write_text(card.replace(*change, 1))
        with pytest.raises(CheckpointError, match=f"^{folder / CARD_FILE} was edited: "):
            load(folder)

    def test_one_that_is_laid_out_otherwise_is_the_same(self, folder):
        card = json.loads((folder / CARD_FILE).read_text())
        (folder / CARD_FILE).write_text(json.dumps(dict(reversed(card.items()))))
        assert load(folder)[1] == card

    @pytest.mark.parametrize("number", ["1e999", "-1e999", "9" * 400, "NaN"])
    def test_one_with_a_number_that_is_not_finite_is_refused(self, folder, number):
        (folder / CARD_FILE).write_text((folder / CARD_FILE).read_text().replace("0.99", number))
        with pytest.raises(CheckpointError, match=f"^{folder / CARD_FILE} is not JSON: .* is no JSON number"):
            load_card(folder)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *(("temperature", value) for value in (1e-300, 0, -1.4, 1e300, "1.4", None, True)),
            *(("no_digit_threshold", value) for value in (-0.5, 1.0001, 10**300, [0.5], False)),
        ],
        ids=lambda value: str(value)[:20],
    )
    def test_a_decision_out_of_its_range_is_never_saved_nor_read(self, folder, tmp_path, network, golden, name, value):
        with pytest.raises(ValueError, match=f"^{name} must be a number from "):
            save(tmp_path / "never", network, golden, {name: value})
        assert not (tmp_path / "never").exists()
        as_of_an_earlier_release(folder)
        card = json.loads((folder / CARD_FILE).read_text())
        (folder / CARD_FILE).write_text(json.dumps(card | {name: value}))
        with pytest.raises(CheckpointError, match=f"{name} must be a number from |is no JSON number"):
            load(folder)

    @pytest.mark.parametrize("change", [{"temperature": 2.0}, {"no_digit_threshold": 0.25}], ids=str)
    def test_a_decision_that_is_not_the_one_in_the_weights_is_refused(self, folder, change):
        change_card(folder, lambda card: card.update(change))
        with pytest.raises(CheckpointError, match="was made with another temperature or threshold"):
            load(folder)


class TestEarlierRelease:
    def test_its_model_is_loaded_with_the_predictions_that_it_makes(self, tmp_path, network, golden):
        saved = save(tmp_path, network, golden, {"temperature": 1.5})
        predictions = load_golden(tmp_path).predictions
        as_of_an_earlier_release(tmp_path)
        loaded, card = load(tmp_path)
        assert loaded.parameters.tobytes() == network.parameters.tobytes()
        assert card["version"] != saved["version"]
        for before, now in zip(predictions, load_golden(tmp_path).predictions):
            np.testing.assert_array_equal(before, now)

    def test_its_model_is_not_today_s_without_a_checksum(self, folder):
        card = json.loads((folder / CARD_FILE).read_text())
        del card["card_sha256"]
        (folder / CARD_FILE).write_text(json.dumps(card | {"accuracy": 1.0}))
        with pytest.raises(CheckpointError, match="was edited: it lacks its checksum"):
            load(folder)


IRREGULAR = {
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a huge file": lambda path: (path.touch(), os.truncate(path, 2**40)),
}


class TestFiles:
    """A file in a model's folder neither blocks its readers nor takes their memory."""

    @pytest.mark.parametrize("name", [WEIGHTS_FILE, CARD_FILE])
    @pytest.mark.parametrize("make", IRREGULAR.values(), ids=IRREGULAR)
    def test_what_is_no_regular_file_of_a_model_s_size_is_refused(self, folder, tmp_path, documented, name, make):
        (folder / name).unlink()
        make(folder / name)
        for read in (load, load_golden, lambda source: copy(source, tmp_path / "copy")):
            with within(), pytest.raises(CheckpointError, match=f"^{folder / name} cannot be read: it (is not a reg|has 1,0)"):
                read(folder)
        documented(
            "bad-files",
            "weights.npz or model.json: a link to /dev/zero, a pipe, or a file of 1 TiB in its place",
            f"{2 * len(IRREGULAR)} ways",
            "refused each time, with a sentence that names the file, before it is read",
        )

    def test_a_link_to_a_regular_file_is_one(self, folder, tmp_path):
        for name in (WEIGHTS_FILE, CARD_FILE):
            (folder / name).rename(tmp_path / name)
            (folder / name).symlink_to(tmp_path / name)
        load(folder)

    def test_more_than_is_ever_read_is_not_written(self, tmp_path, network, golden, monkeypatch):
        monkeypatch.setitem(MOST_BYTES, WEIGHTS_FILE, 1000)
        with pytest.raises(ValueError, match=r"weights.npz would have [\d,]+ bytes, and at most 1,000 are read"):
            save(tmp_path / "never", network, golden, {})
        assert not (tmp_path / "never").exists()


HUGE = {  # as many parameters, and one output shape
    "padding": [{"conv2d": {"filters": 2, "kernel_size": 5, "padding": 30_000}}, {"maxpool2d": {"size": 10_004}}],
    "layers": [*LAYERS[:2], *["relu"] * 50_000],
}


@pytest.mark.parametrize("first", HUGE.values(), ids=HUGE)
def test_a_network_that_needs_much_memory_is_refused_before_it_takes_any(folder, documented, first):
    change_card(folder, lambda card: card["network"].update(layers=[*first, *LAYERS[2:]]))
    tracemalloc.start()
    try:
        with within(), pytest.raises(CheckpointError, match=r"not describe the network .* (more than 1,048,576|at most 100)"):
            load(folder)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    documented(
        "bad-files",
        "model.json: a padding of 30,000, or 50,000 layers, with checksums that agree",
        f"{len(HUGE)} ways",
        "refused each time, with a sentence that names the layer or the limit, before any of its memory is allocated",
    )


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
        ({"dtype": "float64"}, "does not describe"),
        ({"dtype": "float16"}, "its dtype is 'float16', not float32 or float64"),
        ({"dtype": "no such type"}, "does not describe"),
    ],
)
def test_a_card_that_describes_another_network_is_refused(folder, change, complaint):
    change_card(folder, lambda card: card["network"].update(change))
    with pytest.raises(CheckpointError, match=complaint):
        load(folder)


@pytest.mark.parametrize(
    "change", [{"version": "000000000000"}, {"network": {"input_shape": [1, 32, 32]}}, {"network": {"parameters": 3}}], ids=str
)
def test_a_version_that_is_not_this_model_s_is_refused(folder, change):
    card = json.loads((folder / CARD_FILE).read_text())
    card |= change | {"network": card["network"] | change.get("network", {})}
    (folder / CARD_FILE).write_text(json.dumps(sealed(card)))
    with pytest.raises(CheckpointError, match="its version is not that of this network"):
        load(folder)


def test_a_card_that_would_not_be_json_is_not_written(tmp_path, network, golden):
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path, network, golden, {"loss": float("nan")})


def test_weights_that_answer_otherwise_than_their_maker_s_are_refused(folder, network):
    replace_weights(folder, parameters=network.parameters[::-1].copy())
    with pytest.raises(CheckpointError, match="does not give the answers that its maker got"):
        load(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: {"golden_probabilities": found["golden_probabilities"][:, ::-1]},
        lambda found: {"golden_no_digit": found["golden_no_digit"] + np.float32(0.1)},
        lambda found: {"golden_is_digit": ~found["golden_is_digit"]},
    ],
    ids=["probabilities", "no digit", "is a digit"],
)
def test_predictions_that_are_not_what_its_maker_got_are_refused(folder, change):
    replace_weights(folder, **change(npz_arrays((folder / WEIGHTS_FILE).read_bytes())))
    with pytest.raises(CheckpointError, match="does not give the predictions that its maker got"):
        load(folder)


@pytest.mark.parametrize("name", ["golden_logits", "golden_probabilities", "golden_is_digit"])
def test_golden_answers_that_are_missing_or_text_are_refused(folder, name):
    arrays = npz_arrays((folder / WEIGHTS_FILE).read_bytes())
    replace_weights(folder, **{name: arrays[name].astype("U9")})
    with pytest.raises(CheckpointError, match=r"golden (answers|predictions)"):
        load(folder)
    replace_weights_file(folder, npz_bytes({other: values for other, values in arrays.items() if other != name}))
    with pytest.raises(CheckpointError, match=f"it lacks '{name}'"):
        load(folder)


@pytest.mark.parametrize("count", [0, 101])
def test_a_model_carries_a_golden_example_and_not_too_many(folder, tmp_path, network, count):
    golden = np.zeros((count, 28, 28), np.uint8)
    with pytest.raises(ValueError, match=f"carries 1 to 100 golden examples, and this one has {count}"):
        save(tmp_path / "never", network, golden, {})
    replace_weights(folder, golden_pictures=golden, golden_logits=np.zeros((count, 10), np.float32))
    with pytest.raises(CheckpointError, match=f"carries 1 to 100 golden examples, and this one has {count}"):
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
