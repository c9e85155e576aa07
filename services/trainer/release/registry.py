"""The registry: write access to the model store, which alone decides which model is live.

The stages write to a store on this machine, or call the trainer container of a Compose stack, whose store is a Docker volume.
"""

import json
import logging
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from digitnet.checkpoint import CARD_FILE
from stores.models import CANDIDATE, LIVE, ModelStore, StoreError, UnreachableError, open_models

log = logging.getLogger(__name__)

DEFAULT_MODELS = "state/models"  # of `make run`
DOCKER_SECONDS = 60.0
TRAINER = "com.docker.compose.service=trainer"
FOLDER = "com.docker.compose.project.working_dir"


class StoreRegistry:
    """A model store that this process can write to."""

    def __init__(self, models: str, seeds: Sequence[Path] = ()):
        self.models, self._store, self._seeds = models, open_models(models), seeds

    def publish(self, folder: Path, alias: str) -> None:
        """Publish a model and set "live" or "candidate" to it. Seed an empty store first, so that the test has a live model."""
        seed(self._store, self._seeds)
        version = self._store.publish(folder)["version"]
        if alias == LIVE:
            self._store.promote(version)
        else:
            self._store.point(alias, version)

    def clear_candidate(self) -> None:
        self._store.clear(CANDIDATE)


class ComposeRegistry:
    """The store of a Compose stack, whose trainer mounts the host's folder artifacts as /artifacts."""

    models = None  # a staging server cannot read it

    def __init__(self, container: str):
        self._container = container

    def publish(self, folder: Path, alias: str) -> None:
        self._run("publish", f"/artifacts/{folder.name}", "--promote" if alias == LIVE else "--candidate")

    def clear_candidate(self) -> None:
        self._run("candidate")

    def _run(self, *arguments: str) -> None:
        done = _docker("exec", self._container, "python", "-m", "trainer", "models", *arguments)
        if done.returncode:
            raise StoreError(f"the stack's trainer: {done.stderr.strip()}")


Registry = StoreRegistry | ComposeRegistry


def find_registry(models: str | None, folder: Path, seeds: Sequence[Path]) -> Registry:
    """Return the store at the URL `models`; without a URL, the store of the Compose stack in `folder`, else state/models."""
    container = _compose_trainer(folder.resolve()) if models is None else None
    return StoreRegistry(models or DEFAULT_MODELS, seeds) if container is None else ComposeRegistry(container)


def _compose_trainer(folder: Path) -> str | None:
    """Return the id of the trainer container of the stack in this folder, None if none runs."""
    if shutil.which("docker") is None:
        return None
    shown = f'{{{{.ID}}}} {{{{.Label "{FOLDER}"}}}}'
    listed = _docker("ps", "--filter", f"label={TRAINER}", "--filter", "status=running", "--format", shown)
    if listed.returncode:
        log.info("docker ps failed, so assume that no Compose stack runs: %s", listed.stderr.strip())
    found = (line.split(" ", 1) for line in listed.stdout.splitlines())
    return next((container for container, started_in in found if Path(started_in).resolve() == folder), None)


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=DOCKER_SECONDS)  # noqa: S603, S607
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(arguments, 1, "", "docker does not answer")


def seed(store: ModelStore, folders: Sequence[Path]) -> str | None:
    """Return the live version. If no version is live, publish the first valid model of these folders and make it live."""
    live = store.alias(LIVE)
    for folder in folders if live is None else ():
        try:
            store.promote(version := store.publish(folder)["version"])
        except UnreachableError:
            raise
        except StoreError as error:
            if os.path.exists(folder / CARD_FILE):  # False, too, for a folder that this user may not open
                log.error("event=model_not_published from=%s reason=%s", folder, json.dumps(str(error)))
        else:
            log.info("event=model_published version=%s from=%s", version, folder)
            return str(version)
    return live
