"""The newcomer's way: one command in a fresh clone, then draw a digit."""

import csv
import json
import os
import shutil
import signal
import socket
import time

import httpx
import numpy as np
import pytest
from digitnet.checkpoint import load
from digitnet.drawing import in_unit_range
from playwright.sync_api import expect
from trainer.digits import load_splits
from trainer.idx import read_images


@pytest.fixture
def stack(clone, tmp_path, wait_for, stop_with_ctrl_c):
    """`make run` for the second time; stopped, if the test has not done so, by Ctrl-C."""
    log = tmp_path / "run.log"
    process = clone.make_run(log)
    try:
        wait_for(clone.page, 60, process)
        wait_for(f"{clone.api}/readyz", 30, process)
        yield process, log
    finally:
        if process.poll() is None:
            stop_with_ctrl_c(process)


def test_a_newcomer_draws_a_5_and_reads_it(clone, stack, new_page, draw):
    page = new_page()
    page.goto(clone.page)
    draw(page, 5)
    page.get_by_role("button", name="Predict Digit").click()
    expect(page.locator("#result")).to_have_text("Digit: 5")


def test_what_was_predicted_is_in_the_journal_and_on_the_exporter(clone, stack):
    def predictions():
        lines = httpx.get(f"{clone.exporter}/metrics").text.splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("doodle_journal_predictions_total "))

    before = predictions()
    httpx.post(f"{clone.api}/predict", json={"strokes": [[[140, 40], [150, 240]]]}).raise_for_status()
    deadline = time.monotonic() + 10
    while predictions() == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert predictions() == before + 1


def test_a_model_that_the_pipeline_makes_is_served_without_a_restart(clone, stack, save_model, tmp_path):
    version = httpx.get(f"{clone.api}/model").json()["version"]
    shutil.move(clone.folder / "artifacts" / "model", tmp_path / "model")
    try:
        made = save_model(clone.folder / "artifacts" / "model")["version"]
        wait_for_version(clone, made)
    finally:
        shutil.rmtree(clone.folder / "artifacts" / "model")
        shutil.move(tmp_path / "model", clone.folder / "artifacts" / "model")
    (clone.folder / "artifacts" / "model" / "model.json").touch()  # newer than what is live, as the pipeline leaves it
    wait_for_version(clone, version)


def wait_for_version(clone, version):
    deadline = time.monotonic() + 20
    while (live := httpx.get(f"{clone.api}/model").json()["version"]) != version:
        assert time.monotonic() < deadline, f"{live} is live, not {version}"
        time.sleep(0.1)


def test_nothing_is_trained_and_the_second_run_sets_nothing_up(clone, stack):
    _, log = stack
    said = log.read_text()
    assert "Doodle: draw at " + clone.page in said
    assert "event=model_loaded" in said
    assert "epoch" not in said
    assert "setting up" not in said


def test_ctrl_c_ends_everything_and_frees_the_ports(clone, stack, stop_with_ctrl_c):
    process, log = stack
    stop_with_ctrl_c(process)
    said = log.read_text()
    assert "inference.1 stopped (rc=0)" in said
    assert "exporter.1 stopped (rc=0)" in said
    assert "frontend.1 stopped (rc=0)" in said
    assert "trainer.1 stopped (rc=0)" in said
    assert "Traceback" not in said
    for port in clone.ports.values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", int(port)))


def test_when_one_part_dies_the_other_does_not_linger(clone, stack):
    process, log = stack
    started = next(line for line in log.read_text().splitlines() if line.startswith("inference.1 started"))
    pid = int(started.partition("pid=")[2].rstrip(")"))
    os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=20) != 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(clone.page)


def test_the_model_reads_mnist_as_well_as_it_should(clone):
    metrics = json.loads((clone.folder / "artifacts" / "metrics.json").read_text())
    assert metrics["test_pictures"] == 10_000
    assert metrics["accuracy"] >= 0.9965


def test_the_service_answers_mnist_exactly_as_it_was_measured(clone, stack):
    """Test digits over HTTP, raw as MNIST has them, against what evaluate wrote down where the model was made."""
    for stage in ("fetch", "preprocess"):
        clone.run("python", "-m", "trainer", stage)
    images = read_images(clone.folder / "mnist" / "t10k-images-idx3-ubyte")[:1000]
    with open(clone.folder / "artifacts" / "confusion.csv", newline="") as file:
        predicted = [int(row["predicted"]) for row in csv.DictReader(file)][:1000]
    pictures = load_splits(clone.folder / "data" / "digits.npz")["test"].pictures[:1000]
    network, card = load(clone.folder / "artifacts" / "model")
    no_digit = network.read(in_unit_range(pictures))[1] > card["no_digit_threshold"]
    with httpx.Client(base_url=clone.api) as client:
        for index, image in enumerate(images):
            vector = (image.ravel() / 255.0).round(4).tolist()
            answer = client.post("/predict?input=true", json={"image_vector": vector}).json()
            assert answer["best_guess"] == predicted[index]
            assert answer["is_digit"] == (not no_digit[index])
            np.testing.assert_allclose(answer["input"], pictures[index] / 255.0, atol=1e-4)
