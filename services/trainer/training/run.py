"""A run of the training: network, optimizer, batches, and the callbacks that measure."""

import hashlib
import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
from digitnet.arrays import Arrays
from digitnet.parallel import SINGLE_PROCESS, Group
from digitnet.schedules import SCHEDULES
from digitnet.weight_averaging import AveragingCallback

from trainer.data.digits import Split, Synthetic
from trainer.settings import TrainSettings
from trainer.training.batches import TrainingBatches
from trainer.training.history import HistoryCallback, measure
from trainer.training.snapshot_callback import SnapshotCallback


class Run:
    """All that changes in a training: the same on each process of a group."""

    def __init__(
        self, settings: TrainSettings, digits: Split, validation: Split, synthetic: Synthetic, group: Group = SINGLE_PROCESS
    ):
        self.settings, self.validation = settings, validation
        self.network = settings.make_network()
        self.network.initialize(np.random.default_rng(settings.seed))
        self.optimizer = settings.make_optimizer(self.network.parameters.size)
        self.schedule = SCHEDULES[settings.schedule]
        self.batches = TrainingBatches(settings, self.network.classes, digits, synthetic)
        self.steps = settings.epochs * len(self.batches)
        self.averaging = AveragingCallback(self.network, settings.averaged_steps)
        self.averaged = self.averaging.averaged
        validate = partial(measure, split=validation, group=group)
        self.snapshots = SnapshotCallback(self.steps, self.network, self.averaged, validation, validate)
        self.history = HistoryCallback(self.averaged, validate, self.learning_rate)
        digests = (split.digest() for split in (digits, self.batches.synthetic_digits, self.batches.non_digits))
        self.data_digest = hashlib.sha256("".join(digests).encode()).hexdigest()

    def learning_rate(self, step: int, steps: int) -> float:
        return self.schedule(step, steps, self.settings.learning_rate)

    def arrays(self) -> Arrays:
        """Return the arrays that training changes, in place."""
        arrays = {"parameters": self.network.parameters}
        arrays |= {f"optimizer_{name}": array for name, array in self.optimizer.state.items()}
        return arrays | {f"average_{name}": array for name, array in self.averaging.average.state.items()}

    def fingerprint(self) -> str:
        """Return a hash of the recipe and the data: only with the same ones may an unfinished run go on."""
        recipe = json.dumps(self.settings.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(f"{recipe}{self.data_digest}".encode()).hexdigest()

    def about(self) -> dict[str, Any]:
        """Return the model card's part on the training, at its end."""
        batches, last = self.batches, self.history.rows[-1]
        return {
            "recipe": self.settings.model_dump(mode="json", exclude={"layers"}),  # the card has them with the network
            "data": {
                "training_pictures": len(batches.digits),
                "synthetic_digits": len(batches.synthetic_digits),
                "non_digits": len(batches.non_digits),
                "sha256": self.data_digest,
            },
            "training": {
                "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(self.history.elapsed(), 2),
                "epochs": len(self.history.rows),
                "train_loss": last["train_loss"],
                "validation_accuracy": last["validation_accuracy"],
            },
        }
