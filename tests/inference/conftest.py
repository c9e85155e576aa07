"""What the tests of the service share: small models on disk, the service as a real process, one drawing in all its forms."""

import base64
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
import numpy as np
import pngs
import pytest
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.settings import Settings
from PIL import Image, ImageDraw
from polling import PATIENCE, eventually
from prometheus_client.parser import text_string_to_metric_families
from stores.folder_models import FolderModels
from stores.models import LIVE

STROKES = [[[190, 60], [100, 60], [95, 130], [150, 118], [188, 160], [170, 215], [95, 222]], [[40, 60], [40, 120]]]
SIDE, BRUSH = 280, 20
CONVOLUTIONAL = [
    {"conv2d": {"filters": 4, "kernel_size": 5}},
    {"maxpool2d": {"size": 2}},
    "relu",
    "flatten",
    {"dense": {"units": 10}},
]


class Service:
    """`python -m inference` as a process of its own."""

    def __init__(self, models_folder: Path, log_path: Path, **environment: str):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url, self.log_path = f"http://127.0.0.1:{port}", log_path
        self.first_samples = {}  # of /metrics, before anyone had asked for a prediction
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOODLE_")}
        settings = {"DOODLE_PORT": str(port), "DOODLE_MODELS": str(models_folder), "DOODLE_MODEL_CHECK_SECONDS": "0.1"}
        settings["DOODLE_JOURNAL"] = f"sqlite:///{log_path.with_name('journal.sqlite')}"
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "inference"], env=inherited | settings | environment, stdout=log, stderr=subprocess.STDOUT
            )
        # A connection a request: after a 500 the server hangs up, which must not look like the next request's fault.
        self.client = httpx.Client(base_url=self.url, timeout=PATIENCE, limits=httpx.Limits(max_keepalive_connections=0))

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post_json(self, body, path: str = "/predict") -> httpx.Response:
        return self.client.post(path, json=body)

    def post_bytes(self, body: bytes, content_type: str = "image/png", path: str = "/predict") -> httpx.Response:
        return self.client.post(path, content=body, headers={"Content-Type": content_type})

    def samples(self) -> dict[tuple[str, tuple[str, ...]], float]:
        """What /metrics says now: (name, label values) -> value."""
        text = self.get("/metrics").text
        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def sample(self, name: str, *labels: str) -> float:
        return self.samples()[name, labels]

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def is_up(self) -> bool:
        try:
            return self.get("/healthz").status_code == 200
        except httpx.TransportError:
            assert self.process.poll() is None, f"the service ended by itself:\n{self.log()}"
            return False

    def stop(self) -> int:
        """End it as a supervisor does, and say its exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()


@pytest.fixture(scope="session")
def publish_model(save_model):
    """publish_model(store's folder, seed): a small network of the kind in use, live from then on; each seed is another one.

    Returns its card.
    """

    def publish(folder: Path, seed: int = 0, about: dict | None = None, layers=CONVOLUTIONAL, snapshots=False) -> dict:
        models = FolderModels(folder)
        with tempfile.TemporaryDirectory() as made:
            save_model(Path(made), seed, about, layers, snapshots)
            card = models.publish(Path(made))
        models.point(LIVE, card["version"])
        return card

    return publish


@pytest.fixture
def serve(tmp_path):
    """`with serve(store's folder) as client:` the app in this process, its journal the test's own; settings may be others."""

    def serve(folder: Path, raise_server_exceptions: bool = True, **settings) -> TestClient:
        settings = {"models": str(folder), "journal": f"sqlite:///{tmp_path}/journal.sqlite", **settings}
        return TestClient(create_app(Settings(**settings)), raise_server_exceptions=raise_server_exceptions)

    return serve


@pytest.fixture(scope="session")
def numbers():
    """numbers(tensor): the array that an answer holds, float32 in its shape; None for null."""

    def numbers(tensor: dict | None) -> np.ndarray | None:
        return None if tensor is None else np.frombuffer(base64.b64decode(tensor["float32"]), "<f4").reshape(tensor["shape"])

    return numbers


@pytest.fixture(scope="session")
def live_folder():
    """live_folder(store's folder): where the files of its live version are."""
    return lambda folder: folder / "versions" / FolderModels(folder).pointer(LIVE)


@pytest.fixture(scope="session")
def run_service(tmp_path_factory):
    """`with run_service(models_folder) as service:` a service that answers; it is ended afterwards, whatever happens."""

    @contextlib.contextmanager
    def run(models_folder: Path, **environment: str):
        service = Service(models_folder, tmp_path_factory.mktemp("log") / "inference.log", **environment)
        try:
            eventually(service.is_up, "the service answers")
            yield service
        finally:
            service.stop()

    return run


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory, publish_model) -> Path:
    folder = tmp_path_factory.mktemp("state") / "models"
    publish_model(folder)
    return folder


@pytest.fixture(scope="session")
def service(run_service, models_folder):
    """The one service that most tests ask; none of them changes its model."""
    with run_service(models_folder, DOODLE_LOG_LEVEL="debug") as running:
        running.first_samples = running.samples()
        yield running
        assert running.stop() == 0, f"told to end by SIGTERM, it did not end cleanly:\n{running.log()[-2000:]}"


@pytest.fixture(scope="session")
def strokes() -> list:
    return STROKES


@pytest.fixture(scope="session")
def ink() -> np.ndarray:
    """The strokes as the canvas shows them: float (280, 280), 1 = ink, with soft edges."""
    scale = 4
    image = Image.new("L", (SIDE * scale, SIDE * scale))
    pen = ImageDraw.Draw(image)
    for stroke in STROKES:
        points = [(x * scale, y * scale) for x, y in stroke]
        pen.line(points, fill=255, width=BRUSH * scale)
        for point in points:
            pen.circle(point, BRUSH * scale / 2, fill=255)
    return np.asarray(image.reduce(scale), float) / 255.0


@pytest.fixture(scope="session")
def png_of():
    """See pngs.py."""
    return pngs.png_of


@pytest.fixture(scope="session")
def png_by_hand():
    """See pngs.py."""
    return pngs.png_by_hand
