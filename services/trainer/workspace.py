"""Where the stages find and leave their files, and where a stack answers: the trainer's settings."""

from pathlib import Path
from typing import Annotated

from deployment.settings import Key, Port, ServiceSettings, opened_by
from pydantic import Field
from stores.models import open_models
from stores.prediction_log import open_prediction_log

from trainer.release.api import Api
from trainer.training.progress import STAGES_FILE, TRAINING_FILE

MNIST_PIN = Path("mnist.dvc")  # of the project, as params.yaml is: read, never written


class Workspace(ServiceSettings):
    folder: Path = Field(Path(), validation_alias="DOODLE_WORKSPACE")
    released: Path = Field(Path("artifacts"), validation_alias="DOODLE_ARTIFACTS")  # whose model seeds an empty store
    models: Annotated[str, opened_by(open_models)] | None = None  # None: that of the stack in this folder, or state/models
    journal: Annotated[str, opened_by(open_prediction_log)] = "sqlite:///state/journal.sqlite"
    port: Port = 7000
    api_url: Annotated[str, opened_by(Api)] | None = None  # None: this machine's at the port
    api_key: Key = ""
    live_file: Path | None = None  # of watch

    @property
    def stack(self) -> Api:
        """What answers if a stack is up."""
        return Api(self.api_url or f"http://127.0.0.1:{self.port}", self.api_key)

    @property
    def seeds(self) -> list[Path]:
        """Models for an empty store: the workspace's own first, then the one that came with the stack."""
        return list(dict.fromkeys((self.model, self.released / "model")))

    @property
    def mnist(self) -> Path:
        return self.folder / "mnist"

    @property
    def fetched(self) -> Path:
        """What fetch found, by md5: preprocess runs again when this changes."""
        return self.folder / "data" / "mnist.json"

    @property
    def digits(self) -> Path:
        return self.folder / "data" / "digits.npz"

    @property
    def synthetic(self) -> Path:
        return self.folder / "data" / "synthetic.npz"

    @property
    def disturbed(self) -> Path:
        return self.folder / "data" / "disturbed.npz"

    @property
    def feedback(self) -> Path:
        """The decisions on users' feedback."""
        return self.folder / "feedback"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def unfinished(self) -> Path:
        return self.artifacts / "unfinished.npz"

    @property
    def progress(self) -> Path:
        """How far a training is, for the exporter."""
        return self.artifacts / TRAINING_FILE

    @property
    def stages(self) -> Path:
        """How each stage last went, for the exporter."""
        return self.artifacts / STAGES_FILE

    @property
    def history(self) -> Path:
        return self.artifacts / "history.csv"

    @property
    def trained(self) -> Path:
        """By train. Nobody has measured it yet."""
        return self.artifacts / "trained"

    @property
    def candidate(self) -> Path:
        """By evaluate. Nobody has tested it yet."""
        return self.artifacts / "candidate"

    @property
    def test_result(self) -> Path:
        return self.artifacts / "test_result.json"

    @property
    def model(self) -> Path:
        """By end: the model that was released last, for Git. The model store alone decides what is live."""
        return self.artifacts / "model"

    @property
    def served(self) -> Path:
        """By serve: the version to test."""
        return self.folder / "data" / "served.json"

    @property
    def staging(self) -> Path:
        """Of the server that serve starts where no stack answers."""
        return self.folder / "state" / "staging"
