"""Where the stages find and leave their files, and where a stack answers."""

from pathlib import Path
from typing import Annotated

from deployment.settings import Folders, Key, Port, ServiceSettings, opened_by
from pydantic import Field
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from trainer.release.api import Api

MNIST_PIN = Path("mnist.dvc")  # of the project, as params.yaml is: read, never written


class TrainerSettings(ServiceSettings):
    workspace: Path = Path()
    artifacts: Folders = (Path("artifacts"),)  # the first model among them seeds an empty store
    models: Annotated[str, opened_by(open_models)] | None = None  # None: the store of this folder's stack, or state/models
    prediction_log: Annotated[str, opened_by(open_prediction_log)] = Field(
        default="sqlite:///state/journal.sqlite", validation_alias="DOODLE_JOURNAL"
    )
    port: Port = 7000
    api_url: Annotated[str, opened_by(Api)] | None = None  # None: this machine's, at the port
    api_key: Key = ""
    live_file: Path | None = None

    @property
    def stack(self) -> Api:
        """What answers if a stack is up."""
        return Api(self.api_url or f"http://127.0.0.1:{self.port}", self.api_key)


class Workspace:
    def __init__(self, settings: TrainerSettings | None = None):
        self.settings = settings or TrainerSettings()
        folder = self.settings.workspace
        self.mnist = folder / "mnist"
        self.feedback = folder / "feedback"  # the decisions on it
        self.staging = folder / "state" / "staging"  # of the server that serve starts where no stack answers

        data = folder / "data"
        self.fetched = data / "mnist.json"  # what fetch found, by md5: preprocess runs again when this changes
        self.digits = data / "digits.npz"
        self.synthetic = data / "synthetic.npz"
        self.corrupted = data / "corrupted.npz"
        self.served = data / "served.json"  # the version to test

        self.artifacts = folder / "artifacts"
        self.unfinished = self.artifacts / "unfinished.npz"
        self.progress = self.artifacts / "progress.json"  # of a training under way, for the exporter
        self.stages = self.artifacts / "stages.json"  # how each stage last went, for the exporter
        self.history = self.artifacts / "history.csv"
        self.trained = self.artifacts / "trained"  # by train, not measured yet
        self.candidate = self.artifacts / "candidate"  # by evaluate, not tested yet
        self.test_result = self.artifacts / "test_result.json"
        self.model = self.artifacts / "model"  # by end, for Git; the model store alone decides what is live

        # Models for an empty store: the workspace's own, or one that came with the stack.
        self.seeds = list(dict.fromkeys((self.model, *(folder / "model" for folder in self.settings.artifacts))))
