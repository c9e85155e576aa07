"""Where the stages find and leave their files: in the project's top folder, or wherever DOODLE_WORKSPACE says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MNIST_PIN = Path("mnist.dvc")  # of the project, as params.yaml is: read, never written


@dataclass(frozen=True)
class Workspace:
    folder: Path = Path()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Workspace":
        return cls(Path(environment.get("DOODLE_WORKSPACE") or "."))

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
        """What was decided on users' feedback."""
        return self.folder / "feedback"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def unfinished(self) -> Path:
        return self.artifacts / "unfinished.npz"

    @property
    def history(self) -> Path:
        return self.artifacts / "history.csv"

    @property
    def trained(self) -> Path:
        """By train; evaluate makes the folder of the model, so that none is there unmeasured."""
        return self.artifacts / "trained"

    @property
    def model(self) -> Path:
        return self.artifacts / "model"
