"""dvc.yaml, mnist.dvc and the command line."""

import ast
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from trainer.__main__ import main
from trainer.data.fetch import read_pins
from trainer.stages import STAGES

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def stages():
    return yaml.safe_load((PROJECT / "dvc.yaml").read_text())["stages"]


def test_mnist_dvc_pins_the_four_files():
    """DVC's directory hash, the md5 of a JSON list of files, must match the list under meta."""
    pins = read_pins(PROJECT / "mnist.dvc")
    assert pins == {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    }
    listing = json.dumps([{"md5": pins[name], "relpath": name} for name in sorted(pins)])
    (out,) = yaml.safe_load((PROJECT / "mnist.dvc").read_text())["outs"]
    assert out["md5"] == hashlib.md5(listing.encode()).hexdigest() + ".dir"
    assert out["path"] == "mnist"


FUNCTIONS = {"test": "examine"}  # of stages whose function has another name


def imported(module):
    """Return the trainer's files that a module imports, directly and indirectly."""
    path = PROJECT / "services" / f"{module.replace('.', '/')}.py"
    found = {path.relative_to(PROJECT).as_posix()}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trainer."):
            found |= imported(node.module)
    return found


def test_every_stage_depends_on_the_modules_that_it_imports(stages):
    """Otherwise a change in a module would not rerun the stage."""
    assert list(stages) == list(STAGES)
    for name, stage in stages.items():
        assert stage["cmd"] == f"PYTHONPATH=packages:services python -m trainer {name}"
        for dependency in stage["deps"]:
            if dependency.startswith(("services", "packages")):
                assert (PROJECT / dependency).exists()
        for file in imported(STAGES[name].__globals__[FUNCTIONS.get(name, name)].__module__):
            if file.endswith("/fetch.py") and name != "fetch":
                continue  # data/mnist.json has the md5s, so the source does not matter
            assert {file, str(Path(file).parent)} & set(stage["deps"]), f"{name} imports {file}"


@pytest.mark.parametrize("command", STAGES)
def test_error_in_a_wrong_folder_names_the_missing_file(command, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    assert main([command]) == 1
    (record,) = caplog.records
    assert any(name in record.message for name in ("mnist.dvc", "params.yaml", "data/digits.npz", "artifacts"))


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_training_resumes_after_a_signal(number, tmp_path, params_file, data):
    shutil.copytree(data, tmp_path / "data")
    params_file.write_text(params_file.read_text().replace("epochs: 3", "epochs: 300"))

    def start():
        command = [sys.executable, "-m", "trainer", "train"]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment)

    process = start()
    for line in process.stderr:  # until the first epoch ends
        if line.startswith("epoch 1/"):
            break
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "the same command resumes it" in errors
    assert (tmp_path / "artifacts" / "unfinished.npz").exists()
    assert not (tmp_path / "artifacts" / "trained").exists()
    again = start()
    assert "resuming after step" in again.stderr.readline()
    again.kill()
    again.communicate(timeout=30)
