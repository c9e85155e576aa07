"""Schemas of the pipeline's result files and of model cards. Missing files and values are valid, damaged ones are errors."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AliasPath, AwareDatetime, BaseModel, Field

Parsed = TypeVar("Parsed")
Figure = Annotated[float, Field(strict=True, allow_inf_nan=False)]  # a JSON number


class ResultsError(Exception):
    """A result file exists but is unusable; the message names it."""


def read_results(path: Path, parse: Callable[[bytes], Parsed]) -> tuple[Parsed, float] | None:
    """Return the parsed file and its modification time in Unix seconds, or None for a file that is missing or may not be opened.

    A container may not open the folders of a host user whose umask is 077.

    Raises ResultsError if the file is unreadable, or if `parse` raises ValueError.
    """
    try:
        with path.open("rb") as file:
            return parse(file.read()), os.fstat(file.fileno()).st_mtime
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, ValueError, csv.Error) as error:
        raise ResultsError(f"{path} cannot be used: {error}") from error


class Metrics(BaseModel):
    """metrics.json: the metrics of the last run."""

    accuracy: Figure | None = None
    loss: Figure | None = None
    accuracy_by_digit: dict[str, Figure] = {}


class StageRun(BaseModel):
    """An entry of stages.json: the last run of a stage."""

    finished_at: Figure
    seconds: Figure
    succeeded: bool


class Training(BaseModel):
    """progress.json: the progress of a training."""

    epoch: Figure | None = None
    epochs: Figure | None = None
    loss: Figure | None = None
    accuracy: Figure | None = None
    pictures_per_second: Figure | None = None


class CardFigures(BaseModel):
    """The exported part of a model card."""

    accuracy: Figure | None = Field(None, validation_alias=AliasPath("test", "accuracy"))
    parameters: Figure | None = Field(None, validation_alias=AliasPath("network", "parameters"))
    finished_at: AwareDatetime | None = Field(None, validation_alias=AliasPath("training", "finished_at"))
    seconds: Figure | None = Field(None, validation_alias=AliasPath("training", "seconds"))
    data: str | None = Field(None, validation_alias=AliasPath("data", "sha256"), pattern="^[0-9a-f]{64}$")
