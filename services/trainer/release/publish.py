"""From the folders where the pipeline leaves its models into the model store, from which they are served."""

import json
import logging
import math
from pathlib import Path

from digitnet.checkpoint import CARD_FILE, WEIGHTS_FILE, CheckpointError, load_card
from stores.models import CANDIDATE, LIVE, ModelStore, StoreError, UnreachableError

from trainer import workspace
from trainer.release.result import read_result

log = logging.getLogger(__name__)


class Publisher:
    """Follows the folder of the released model: what appears there is published, and is live from then on."""

    def __init__(self, folder: Path, models: ModelStore):
        self._folder, self._models = folder, models
        self._done: list | None = None  # the files as last published; [] where there was no model at the first look
        self._doubtful: object = None  # the files that were refused at the last look
        self._said = ""

    def look(self) -> None:
        """Publish the folder's model if it has changed. What goes wrong is logged once, and tried again at the next look."""
        try:
            seen = self._state()
        except OSError:
            self._done = self._done or []
            return  # none there, or one being replaced
        if seen == self._done and not self._is_nothing_live():
            return
        # What changes under our eyes is new, whatever the clock said when it was written, or says now.
        is_new = self._done is not None and self._done[:2] != seen[:2]
        try:
            version = self._published()
            if self._state() != seen:
                return  # it goes, or another one comes, while it is looked at
            self._put_in_place(version, is_new)
        except (StoreError, CheckpointError, OSError) as error:  # the last where the folder goes while it is looked at
            self._complain(seen, str(error))
        else:
            self._done, self._said = seen, ""

    def _put_in_place(self, version, is_new):
        """It becomes live if it is new, or was made after the live alias was last moved. So a restart does not undo a choice of
        an older version that somebody made since."""
        if is_new or self._made_after(LIVE):
            self._models.promote(version)
            log.info("event=model_published version=%s from=%s", version, self._folder)

    def _state(self):
        """Something that differs when there is something to do; OSError where there is no model."""
        return [_state_of(self._folder / name) for name in (WEIGHTS_FILE, CARD_FILE)]

    def _made_after(self, alias):
        moved = self._models.alias_time(alias)
        return moved is None or (self._folder / CARD_FILE).stat().st_mtime > moved

    def _published(self):
        """The version of the folder's model, which is in the store from now on."""
        card = load_card(self._folder)
        try:
            if self._models.check(card["version"]) == card:
                return card["version"]
        except UnreachableError:
            raise
        except StoreError:
            pass  # not there yet, or damaged there
        return self._models.publish(self._folder)["version"]

    def _is_nothing_live(self):
        """Somebody has emptied the store, or lost its volume: what is served lives in memory alone, until the next start."""
        try:
            return self._models.alias(LIVE) is None
        except StoreError:
            return False

    def _complain(self, seen, reason):
        # Between the two files of a model that is just being written the first look finds a bad one: that is no news.
        if seen == self._doubtful and reason != self._said:
            self._said = reason
            log.error("event=model_not_published from=%s reason=%s", self._folder, json.dumps(reason))
        self._doubtful = seen


class CandidatePublisher(Publisher):
    """Follows the folder of the candidate: what appears there is published and the candidate, until the test refuses it."""

    def __init__(self, folder: Path, result_file: Path, models: ModelStore):
        super().__init__(folder, models)
        self._result_file = result_file

    def _put_in_place(self, version, is_new):
        """As with the live alias, whatever was done last holds: a candidate that was made before the live alias was moved
        has had its turn, and one that somebody puts up again after it was refused stays."""
        refused_at = self._refused_at(version)
        if refused_at is None:
            if (is_new or self._made_after(LIVE)) and self._models.alias(CANDIDATE) != version:
                self._models.point(CANDIDATE, version)
                log.info("event=candidate_published version=%s from=%s", version, self._folder)
        elif self._models.alias(CANDIDATE) == version and refused_at > (self._models.alias_time(CANDIDATE) or math.inf):
            self._models.clear(CANDIDATE)
            log.info("event=candidate_refused version=%s reasons_in=%s", version, self._result_file)

    def _state(self):
        try:
            result = _state_of(self._result_file)
        except OSError:
            result = None
        return [*super()._state(), result]

    def _refused_at(self, version):
        """When the test refused this version, in Unix seconds; None where it did not."""
        try:
            result, time = read_result(self._result_file), self._result_file.stat().st_mtime
        except (OSError, ValueError):
            return None
        return time if result.version == version and not result.passed else None


def publishers(artifacts: Path, models: ModelStore) -> list[Publisher]:
    """Of all that the pipeline leaves in a folder."""
    return [
        CandidatePublisher(artifacts / workspace.CANDIDATE, artifacts / workspace.TEST_RESULT, models),
        Publisher(artifacts / workspace.MODEL, models),
    ]


def _state_of(path):
    file = path.stat()
    return file.st_ino, file.st_size, file.st_mtime_ns
