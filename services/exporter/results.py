"""Files that the pipeline leaves, and model cards: a missing file or figure is no failure, a damaged one is."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AliasPath, AwareDatetime, BaseModel, Field

Parsed = TypeVar("Parsed")
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]  # a JSON number


class ResultsError(Exception):
    """A file of the pipeline exists and cannot be used; the message names it."""


def read_results(path: Path, parse: Callable[[bytes], Parsed]) -> tuple[Parsed, float] | None:
    """Return the parsed content of a file and when it was written, in Unix seconds; None for no file, or none to be opened.

    A folder of a host whose user has umask 077 cannot be opened in a container.

    ResultsError if it cannot be read, or if `parse` raises ValueError.
    """
    try:
        with path.open("rb") as file:
            return parse(file.read()), os.fstat(file.fileno()).st_mtime
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, ValueError, csv.Error) as error:
        raise ResultsError(f"{path} cannot be used: {error}") from error


class Metrics(BaseModel):
    """metrics.json: what the last run measured."""

    accuracy: Figure | None = None
    loss: Figure | None = None
    accuracy_by_digit: dict[str, Figure] = {}


class StageRun(BaseModel):
    """An entry of stages.json: how a stage last went."""

    finished_at: Figure
    seconds: Figure
    succeeded: bool


class Training(BaseModel):
    """progress.json: how far a training is."""

    epoch: Figure | None = None
    epochs: Figure | None = None
    loss: Figure | None = None
    accuracy: Figure | None = None
    pictures_per_second: Figure | None = None


class CardFigures(BaseModel):
    """The part of a model card that the exporter reports."""

    accuracy: Figure | None = Field(None, validation_alias=AliasPath("test", "accuracy"))
    parameters: Figure | None = Field(None, validation_alias=AliasPath("network", "parameters"))
    finished_at: AwareDatetime | None = Field(None, validation_alias=AliasPath("training", "finished_at"))
    seconds: Figure | None = Field(None, validation_alias=AliasPath("training", "seconds"))
    data: str | None = Field(None, validation_alias=AliasPath("data", "sha256"), pattern="^[0-9a-f]{64}$")
