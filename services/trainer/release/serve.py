"""serve: put the new model up as the candidate, beside what is live, where it can be asked over HTTP. It answers nobody else."""

import json
from pathlib import Path

from digitnet.checkpoint import load_card, write_atomically

from trainer.release.api import Api
from trainer.release.staging_server import OwnService, put_up


def serve(stack: Api, own: OwnService, candidate: Path, live: Path, result_file: Path, served_file: Path) -> None:
    """Write which version is served into `served_file`. TrialError if it can be nowhere.

    A new trial begins here: what an earlier one said (`result_file`) no longer holds.
    """
    result_file.unlink(missing_ok=True)
    own.stop()
    put_up(stack, own, candidate, live)
    write_atomically(served_file, (json.dumps({"version": load_card(candidate)["version"]}) + "\n").encode())
