"""A data set that trains in a second."""

import hashlib
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from digitnet.checkpoint import npz_bytes
from trainer.data.corrupt import corrupt
from trainer.data.digits import drawing_arrays
from trainer.data.idx import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx_bytes
from trainer.settings import TrainSettings
from trainer.training.ranks import OneRank
from trainer.training.train import train

PARAMS = """
seed: 3
recipe: default
preprocess: {validation_size: 40}
train:
  network: perceptron
  epochs: 3
  batch_size: 16
  synthetic_digits: 4
  non_digits: 2
  optimizer: adam
  schedule: one_cycle
  learning_rate: 0.01
  augmentation: {shift: 1.0, rotation: 5}
  averaged_steps: 20
  shards: 2
recipes:
  train: {longer: {epochs: 5, augmentation: {}}}
  synthesize: {longer: {digits: 60}, crowded: {digits: 90}}
networks:
  perceptron: [flatten, {dense: {units: 16}}, relu, {dense: {units: 11}}]
  forgetful: [flatten, {dense: {units: 16}}, relu, {dropout: {rate: 0.1}}, {dense: {units: 11}}]
  classic: [flatten, {dense: {units: 16}}, relu, {dense: {units: 10}}]
synthesize: {digits: 40, non_digits: 20, held_out_digits: 20, held_out_non_digits: 10}
evaluate: {rejected_digits: 0.1}
test: {margin: 0.05, significance: 0.01, milliseconds: 2000}
"""


@pytest.fixture(scope="session")
def params():
    return PARAMS


@pytest.fixture
def params_file(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS)
    return path


def bars(count, seed):
    """Return ten easy classes: a bar at one of ten heights, with noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels):
        image[4 + 2 * label : 6 + 2 * label, 4:24] = 255
    return images, labels.astype(np.uint8)


def digits_arrays():
    for seed, (split, count) in enumerate((("training", 325), ("validation", 40), ("test", 50))):
        images, labels = bars(count, seed)
        yield from ((f"{split}_pictures", images), (f"{split}_labels", labels))


def synthetic_arrays():
    """Yield bars of two forms, and noise as no digit."""
    yield "form_names", np.array(["0 bar", "1 other bar", "symbols noise"])
    for seed, (split, count) in enumerate((("training", 40), ("validation", 20), ("test", 20)), start=10):
        images, labels = bars(count, seed)
        noise = np.random.default_rng(seed).integers(0, 256, (10, 28, 28), dtype=np.uint8)
        yield f"{split}_pictures", np.concatenate([images, noise])
        yield f"{split}_labels", np.concatenate([labels, np.full(10, 10, np.uint8)])
        yield f"{split}_forms", np.concatenate([labels % 2, np.full(10, 2)]).astype(np.uint16)
    yield from drawing_arrays([[np.array([[40.0, 40.0], [60.0, 240.0]])]] * 30).items()


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Return a folder with the files of preprocess, synthesize and corrupt."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "digits.npz").write_bytes(npz_bytes(dict(digits_arrays())))
    (folder / "synthetic.npz").write_bytes(npz_bytes(dict(synthetic_arrays())))
    corrupt(folder / "digits.npz", folder / "synthetic.npz", folder / "corrupted.npz")
    return folder


@pytest.fixture(scope="session")
def write_mnist():
    """write_mnist(folder, images, labels, count): write IDX files, the first `count` for training, and mnist.dvc."""

    def write_mnist(folder, images, labels, count):
        (folder / "mnist").mkdir()
        pins = ["meta:", "  files:"]
        for name, content in {
            TRAIN_IMAGES: idx_bytes(images[:count]),
            TRAIN_LABELS: idx_bytes(labels[:count]),
            TEST_IMAGES: idx_bytes(images[count:]),
            TEST_LABELS: idx_bytes(labels[count:]),
        }.items():
            (folder / "mnist" / name).write_bytes(content)
            pins.append(f"    {name}: {hashlib.md5(content).hexdigest()}")
        (folder / "mnist.dvc").write_text("\n".join(pins))

    return write_mnist


@pytest.fixture(scope="session")
def train_in():
    """train_in(folder, params_file, data): train into the folder as the stage does, and return the card."""

    def train_in(folder, params_file, data, *stop_requested):
        files = (folder / name for name in ("trained", "history.csv", "unfinished.npz", "progress.json"))
        return train(
            TrainSettings.read(params_file), data / "digits.npz", data / "synthetic.npz", *files, OneRank(*stop_requested)
        )

    return train_in


@pytest.fixture
def serve():
    """serve(answer): start a web server that calls answer(handler) for each request, and return its port."""
    with ExitStack() as running:

        def serve(answer):
            methods = {"do_GET": answer, "do_POST": answer, "log_message": lambda *_: None}
            handler = type("Handler", (BaseHTTPRequestHandler,), {"protocol_version": "HTTP/1.1"} | methods)
            server = running.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            running.callback(server.shutdown)
            return server.server_port

        yield serve
