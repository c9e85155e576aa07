"""Small models, the service in this process or a new one, and one drawing in all its forms."""

import base64
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from fastapi.testclient import TestClient
from inference.app import create_app
from inference.settings import Settings
from PIL import Image, ImageDraw
from polling import WAIT_SECONDS
from processes import free_port, wait_for
from prometheus_client.parser import text_string_to_metric_families
from stores.models import LIVE
from stores.models.folder import FolderModels
from stores.prediction_log import open_prediction_log

STROKES = [[[190, 60], [100, 60], [95, 130], [150, 118], [188, 160], [170, 215], [95, 222]], [[40, 60], [40, 120]]]
LAST = ["flatten", {"dense": {"units": 10}}]
CONVOLUTIONAL = [{"conv2d": {"filters": 4, "kernel_size": 5}}, {"maxpool2d": {"size": 2}}, "relu", *LAST]


def samples_of(client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Return the samples of /metrics: {(name, label values): value}."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(sample.name, tuple(sample.labels.values())): sample.value for family in families for sample in family.samples}


class Service:
    """The service over HTTP."""

    def __init__(self, client: httpx.Client):
        self.client, self.get = client, client.get

    def post_json(self, body, path: str = "/predict") -> httpx.Response:
        return self.client.post(path, json=body)

    def post_bytes(self, body: bytes, content_type: str = "image/png", path: str = "/predict") -> httpx.Response:
        return self.client.post(path, content=body, headers={"Content-Type": content_type})

    def sample(self, name: str, *labels: str) -> float:
        return samples_of(self.client)[name, labels]


class Process(Service):
    """`python -m inference`."""

    def __init__(self, models: Path, log_path: Path, **environment: str):
        port = free_port()
        self.url, self._log_path = f"http://127.0.0.1:{port}", log_path
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOODLE_")}
        settings = {"DOODLE_PORT": str(port), "DOODLE_MODELS": str(models)}
        settings["DOODLE_JOURNAL"] = f"sqlite:///{log_path.with_name('journal.sqlite')}"
        command, environment = [sys.executable, "-m", "inference"], inherited | settings | environment
        with log_path.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        # One connection per request: the server closes it after a 500, which must not affect the next request.
        limits = httpx.Limits(max_keepalive_connections=0)
        super().__init__(httpx.Client(base_url=self.url, timeout=WAIT_SECONDS, limits=limits))

    def log(self) -> str:
        return self._log_path.read_text(errors="replace")


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def samples():
    return samples_of


@pytest.fixture(scope="session")
def publish_model(save_model, tmp_path_factory):
    """publish_model(store's folder, seed): publish and promote a small random network. Return its card."""

    def publish(folder: Path, seed: int = 0, about: dict | None = None, layers=CONVOLUTIONAL, snapshots=False) -> dict:
        models, made = FolderModels(folder), tmp_path_factory.mktemp("model")
        save_model(made, seed, about, layers, snapshots)
        card = models.publish(made)
        models.point(LIVE, card["version"])
        return card

    return publish


@pytest.fixture(scope="session")
def models_folder(tmp_path_factory, publish_model) -> Path:
    """Return a store with one model, which no test changes."""
    folder = tmp_path_factory.mktemp("state") / "models"
    publish_model(folder)
    return folder


@pytest.fixture(scope="session")
def live_folder():
    """live_folder(store's folder): return the folder of the live version."""
    return lambda folder: folder / "versions" / FolderModels(folder).alias(LIVE)


@pytest.fixture
def prediction_log_url(tmp_path):
    return f"sqlite:///{tmp_path}/journal.sqlite"


@pytest.fixture
def prediction_log(prediction_log_url):
    """Return a second connection to the prediction log."""
    prediction_log = open_prediction_log(prediction_log_url)
    yield prediction_log
    prediction_log.close()


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """`with serve(store's folder, **settings) as client:` run the app in this process with a new prediction log."""

    def serve(folder: Path, raise_server_exceptions: bool = True, **settings) -> TestClient:
        settings = {"prediction_log": f"sqlite:///{tmp_path_factory.mktemp('log')}/journal.sqlite", **settings}
        return TestClient(create_app(Settings(models=str(folder), **settings)), raise_server_exceptions=raise_server_exceptions)

    return serve


@pytest.fixture
def client(serve, models_folder, prediction_log_url):
    """Return a client of an app that writes to `prediction_log`."""
    with serve(models_folder, prediction_log=prediction_log_url) as client:
        yield client


@pytest.fixture(scope="session")
def service(serve, models_folder):
    """Return the app that most tests share. No test changes its model."""
    with serve(models_folder, raise_server_exceptions=False) as client:
        yield Service(client)


@pytest.fixture(scope="session")
def run_service(tmp_path_factory):
    """`with run_service(models) as process:` run the service in a new process."""

    @contextlib.contextmanager
    def run(models: Path, **environment: str):
        service = Process(models, tmp_path_factory.mktemp("log") / "inference.log", **environment)
        try:
            wait_for(f"{service.url}/healthz", process=service.process)
            yield service
        finally:
            service.client.close()
            service.process.terminate()
            try:
                service.process.wait(WAIT_SECONDS)
            finally:
                service.process.kill()

    return run


@pytest.fixture(scope="session")
def numbers():
    """numbers(tensor): decode a tensor of an answer to float32; None for null."""
    return lambda tensor: tensor and np.frombuffer(base64.b64decode(tensor["float32"]), "<f4").reshape(tensor["shape"])


@pytest.fixture(scope="session")
def strokes() -> list:
    return STROKES


@pytest.fixture(scope="session")
def ink() -> np.ndarray:
    """Return the strokes as the canvas shows them: float (280, 280), 1 = ink, with soft edges."""
    image = Image.new("L", (1120, 1120))
    pen = ImageDraw.Draw(image)
    for stroke in STROKES:
        points = [(4 * x, 4 * y) for x, y in stroke]
        pen.line(points, fill=255, width=80)
        for point in points:
            pen.circle(point, 40, fill=255)
    return np.asarray(image.reduce(4), float) / 255.0
