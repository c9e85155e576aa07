"""Where the stages find and leave their files, in the project's top folder or wherever DOODLE_WORKSPACE says; and where a stack
answers, if one is up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deployment.environment import Environment

from trainer.release.api import Api
from trainer.training.progress import STAGES_FILE, TRAINING_FILE

MODEL, CANDIDATE, TEST_RESULT = "model", "candidate", "test_result.json"  # in the folder artifacts
MNIST_PIN = Path("mnist.dvc")  # of the project, as params.yaml is: read, never written


@dataclass(frozen=True)
class Workspace:
    folder: Path = Path()
    stack_url: str = "http://127.0.0.1:7000"
    api_key: str = field(default="", repr=False)  # the stack's, where it asks for one

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> "Workspace":
        """DOODLE_WORKSPACE, DOODLE_API_URL or DOODLE_PORT, and DOODLE_API_KEY. SettingsError if one of them is wrong."""
        environment = Environment(variables)
        url = f"http://127.0.0.1:{environment.port('DOODLE_PORT', 7000)}"
        return cls(
            Path(environment.text("DOODLE_WORKSPACE", ".")),
            environment.url("DOODLE_API_URL", url, Api),
            environment.key("DOODLE_API_KEY"),
        )

    @property
    def stack(self) -> Api:
        """What answers, if a stack is up."""
        return Api(self.stack_url, self.api_key)

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
    def corrupted(self) -> Path:
        return self.folder / "data" / "corrupted.npz"

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
    def progress(self) -> Path:
        """Of a training that is going on; for those who watch, as the next one is."""
        return self.artifacts / TRAINING_FILE

    @property
    def stages(self) -> Path:
        """How each stage last went."""
        return self.artifacts / STAGES_FILE

    @property
    def history(self) -> Path:
        return self.artifacts / "history.csv"

    @property
    def trained(self) -> Path:
        """By train; evaluate makes the folder of the candidate, so that none is there unmeasured."""
        return self.artifacts / "trained"

    @property
    def candidate(self) -> Path:
        """By evaluate; end makes the folder of the model, so that none is there untested."""
        return self.artifacts / CANDIDATE

    @property
    def test_result(self) -> Path:
        return self.artifacts / TEST_RESULT

    @property
    def model(self) -> Path:
        """What was released last."""
        return self.artifacts / MODEL

    @property
    def served(self) -> Path:
        """By serve: which version is to be tested."""
        return self.folder / "data" / "served.json"

    @property
    def trial(self) -> Path:
        """Of the service that serve starts where it finds none."""
        return self.folder / "state" / "trial"
