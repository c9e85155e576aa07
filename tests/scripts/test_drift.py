"""`make drift` sends the drawings that it names, and the detector reacts as expected."""

import json
from functools import partial

import httpx
import numpy as np
import pytest
from digitnet.images.ink import image_from_vector
from digitnet.images.normalize import in_bytes
from digitnet.images.strokes import image_from_strokes
from drift.detector import Detector
from drift.reference import Reference, measured
from trainer.data.strokes import Forms


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("scripts/drift.py")


def drawings(script, kind, count, seed):
    """Measure drawings of this kind as the service would log them, with equal confidences."""
    forms, generator, images = Forms(), np.random.default_rng(seed), []
    for number in range(count):
        if number % 20 == 0:
            writer = forms.writer(generator)
        sent = script.body(kind, forms.digit(number % 10, generator, writer)[0])
        image = image_from_strokes(sent["strokes"]) if "strokes" in sent else image_from_vector(sent["image_vector"])
        images.append(in_bytes(image))
    digits = np.arange(count) % 10
    return measured(np.array(images), digits, np.full(count, 0.9), np.zeros(count, bool))


@pytest.fixture(scope="module")
def detector(script):
    return Detector(Reference.of(drawings(script, "clean", 1000, seed=1)))


@pytest.mark.parametrize("kind", ["clean", "shuffled", "inverted", "shifted"])
def test_only_shuffled_pixels_raise_an_alarm(script, detector, kind):
    drifted = detector.test(drawings(script, kind, 300, seed=2)).drifted
    assert ("smoothness" in drifted) if kind == "shuffled" else drifted == []


def test_sends_the_given_count_to_the_stack_s_port(script, monkeypatch, tmp_path, capsys):
    sent = []

    def answer(request):
        sent.append((str(request.url), list(json.loads(request.content))))
        return httpx.Response(200, json={"is_digit": len(sent) % 2 == 0})

    monkeypatch.setattr(httpx, "Client", partial(httpx.Client, transport=httpx.MockTransport(answer)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DOODLE_PORT", raising=False)
    (tmp_path / ".env").write_text("DOODLE_PORT=7654\n")
    assert script.main(["letters", "--count", "6", "--rate", "1000"]) == 0
    assert sent == [("http://127.0.0.1:7654/predict", ["strokes"])] * 6
    assert "sent 6 drawings (letters and scribbles instead of digits); 3 were rejected as no digit" in capsys.readouterr().out


def test_error_asks_if_doodle_is_running(script, capsys, free_port):
    assert script.main(["clean", "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "does not answer /predict" in capsys.readouterr().err
