"""`make drift`: what it sends is what it says, seen through the service's normalising and by the detector."""

import http.server
import json
import threading

import numpy as np
import pytest
from digitnet.drawing import in_bytes, picture_from_strokes, picture_from_vector
from drift.detector import Detector
from drift.reference import Reference, measured
from trainer.strokes import Forms


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("scripts/drift.py")


def drawings(script, kind, count, seed):
    """As the service would have them in its journal, were it equally sure of all."""
    forms, generator, pictures = Forms(), np.random.default_rng(seed), []
    for number in range(count):
        if number % 20 == 0:
            writer = forms.writer(generator)
        sent = script.body(kind, forms.digit(number % 10, generator, writer)[0])
        picture = picture_from_strokes(sent["strokes"]) if "strokes" in sent else picture_from_vector(sent["image_vector"])
        pictures.append(in_bytes(picture))
    digits = np.arange(count) % 10
    return measured(np.array(pictures), digits, np.full(count, 0.9), np.zeros(count, bool))


@pytest.fixture(scope="module")
def detector(script):
    return Detector(Reference.of(drawings(script, "clean", 2000, seed=1)))


def test_clean_drawings_raise_no_alarm(script, detector):
    assert detector.look(drawings(script, "clean", 500, seed=2)).drifted == []


def test_shuffled_pixels_do(script, detector):
    assert "smoothness" in detector.look(drawings(script, "shuffled", 500, seed=2)).drifted


@pytest.mark.parametrize("kind", ["inverted", "shifted"])
def test_what_normalising_mends_raises_none(script, detector, kind):
    assert detector.look(drawings(script, kind, 500, seed=2)).drifted == []


@pytest.fixture
def service():
    """Answers every drawing, and keeps what it was sent."""
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"is_digit": len(bodies) % 2 == 0}).encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", bodies
        server.shutdown()


def test_it_sends_as_many_as_it_is_told_and_says_what_became_of_them(script, service, capsys):
    url, bodies = service
    assert script.main(["letters", "--count", "6", "--rate", "1000", "--url", url]) == 0
    assert len(bodies) == 6
    assert all("strokes" in body for body in bodies)
    assert "6 drawings sent (letters and scribbles instead of digits), 3 of them taken for no digit" in capsys.readouterr().out


def test_without_a_doodle_it_says_so(script, capsys, free_port):
    assert script.main(["clean", "--url", f"http://127.0.0.1:{free_port()}"]) == 1
    assert "is Doodle running?" in capsys.readouterr().err


def test_it_asks_where_the_pipeline_s_stages_would(script, service, monkeypatch, tmp_path):
    url, bodies = service
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DOODLE_PORT", raising=False)
    (tmp_path / ".env").write_text(f"DOODLE_PORT={url.rpartition(':')[2]}\n")
    assert script.main(["clean", "--count", "1"]) == 0
    assert len(bodies) == 1


def test_a_port_that_is_none_is_named(script, monkeypatch, capsys):
    monkeypatch.setenv("DOODLE_PORT", "99999999")
    with pytest.raises(SystemExit):
        script.main(["clean"])
    assert "DOODLE_PORT must be from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["upside-down"], ["--count", "0"], ["--rate", "0"]])
def test_what_it_cannot_send_is_refused(script, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        script.main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err
