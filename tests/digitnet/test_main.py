"""`python -m digitnet` and the README's example train on MNIST's files, plain or compressed."""

import gzip
import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from digitnet.mnist import read_mnist

PROJECT = Path(__file__).parents[2]


def idx(array):
    return struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape) + array.tobytes()


def write_mnist(folder, compress=False):
    """Write ten easy classes: a bar at one of ten heights, with noise."""
    generator = np.random.default_rng(1)
    for split, count in (("train", 1000), ("t10k", 100)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = generator.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels):
            image[4 + 2 * label : 6 + 2 * label, 4:24] = 255
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            path, content = folder / f"{split}-{name}-ubyte", idx(array)
            if compress:
                path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
            else:
                path.write_bytes(content)


def run(*arguments):
    command = [sys.executable, "-m", "digitnet", *map(str, arguments)]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment["PYTHONPATH"] = str(PROJECT / "packages")
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_trains_and_prints_progress_and_accuracy(tmp_path):
    write_mnist(tmp_path)
    ended = run(tmp_path)
    assert ended.returncode == 0, ended.stderr
    *_, progress, result = ended.stdout.splitlines()
    assert re.fullmatch(r"batch +16 of 16  loss [\d.]+  accuracy +[\d.]+%", progress)
    assert re.fullmatch(r"accuracy (9\d\.\d\d|100\.00)% on 100 test digits, after \d+ s", result)


def test_the_readme_s_example_trains_a_network(tmp_path, monkeypatch, capsys):
    (tmp_path / "mnist").mkdir()
    write_mnist(tmp_path / "mnist")
    monkeypatch.chdir(tmp_path)
    (lines,) = re.findall(r"^```python\n(.*?)^```$", (PROJECT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(lines, "README.md", "exec"), {})
    assert re.fullmatch(r"(9\d\.\d|100\.0)% accuracy on the MNIST test digits\n", capsys.readouterr().out)


def test_error_says_how_to_get_mnist(tmp_path):
    ended = run(tmp_path / "mnist")
    assert ended.returncode == 1
    assert re.fullmatch(r"\S+train-images-idx3-ubyte is missing: run `make data`, or copy .*\n", ended.stderr)


def test_reads_plain_and_compressed_files(tmp_path):
    for name in ("plain", "compressed"):
        (tmp_path / name).mkdir()
        write_mnist(tmp_path / name, compress=name == "compressed")
    for split, count in (("train", 1000), ("t10k", 100)):
        images, labels = read_mnist(tmp_path / "plain", split)
        assert (images.shape, images.dtype, images.max(), labels.dtype) == ((count, 28, 28), np.float32, 1.0, np.int64)
        for expected, found in zip((images, labels), read_mnist(tmp_path / "compressed", split)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("content", [b"", b"\0\0\x08\x01", idx(np.zeros((5, 2, 2), np.uint8))[:-1], idx(np.zeros(5, np.uint8))])
def test_error_names_a_damaged_file(tmp_path, content):
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(
        ValueError,
        match=r"train-images-idx3-ubyte is damaged, or not an IDX file of this kind \(.*\): delete it and run `make data`",
    ):
        read_mnist(tmp_path, "train")
