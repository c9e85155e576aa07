"""The files that the stages read and write, and the address of a running stack."""

from pathlib import Path
from typing import Annotated

from deployment.settings import Folders, Key, Port, ServiceSettings, opened_by
from pydantic import Field
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from trainer.release.api import Api

MNIST_PIN = Path("mnist.dvc")  # in the project's top folder, read-only, like params.yaml


class TrainerSettings(ServiceSettings):
    workspace: Path = Path()
    artifacts: Folders = (Path("artifacts"),)  # the first model in them seeds an empty store
    models: Annotated[str, opened_by(open_models)] | None = None  # None: the store of this folder's stack, or state/models
    prediction_log: Annotated[str, opened_by(open_prediction_log)] = Field(
        default="sqlite:///state/journal.sqlite", validation_alias="DOODLE_JOURNAL"
    )
    port: Port = 7000
    api_url: Annotated[str, opened_by(Api)] | None = None  # None: this machine, at `port`
    api_key: Key = ""
    live_file: Path | None = None

    @property
    def stack(self) -> Api:
        """The API of the running stack, if one runs."""
        return Api(self.api_url or f"http://127.0.0.1:{self.port}", self.api_key)


class Workspace:
    def __init__(self, settings: TrainerSettings | None = None):
        self.settings = settings or TrainerSettings()
        folder = self.settings.workspace
        self.mnist = folder / "mnist"
        self.feedback = folder / "feedback"  # the decisions on feedback
        self.staging = folder / "state" / "staging"  # the staging server's lock and log

        data = folder / "data"
        self.fetched = data / "mnist.json"  # the md5 of each file: DVC runs preprocess again if this changes
        self.digits = data / "digits.npz"
        self.synthetic = data / "synthetic.npz"
        self.corrupted = data / "corrupted.npz"
        self.served = data / "served.json"  # the version that serve published

        self.artifacts = folder / "artifacts"
        self.unfinished = self.artifacts / "unfinished.npz"
        self.progress = self.artifacts / "progress.json"  # of the running training, for the exporter
        self.stages = self.artifacts / "stages.json"  # the last outcome of each stage, for the exporter
        self.heartbeat = self.artifacts / "heartbeat"  # touched while a sound model is live, for the exporter
        self.history = self.artifacts / "history.csv"
        self.trained = self.artifacts / "trained"  # written by train
        self.candidate = self.artifacts / "candidate"  # written by evaluate, with measurements
        self.test_result = self.artifacts / "test_result.json"
        self.model = self.artifacts / "model"  # written by end, for Git; the model store alone decides which model is live

        # An empty store gets the workspace's model, else one that came with the stack.
        self.seeds = list(dict.fromkeys((self.model, *(folder / "model" for folder in self.settings.artifacts))))
