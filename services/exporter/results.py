"""Files that the pipeline leaves: one that is not there is no failure, one that is there must be whole."""

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")


class ResultsError(Exception):
    """A file of the pipeline's is there and cannot be used; the message names it."""


def read_results(path: Path, make: Callable[[str, float], Made], absent: Made) -> Made:
    """What `make` makes of a file's text and of when it was written, in Unix seconds; `absent` if there is no such file.

    ResultsError if it cannot be read, or if `make` finds it damaged (ValueError).
    """
    try:
        with path.open("rb") as file:
            text, written = file.read().decode(), os.fstat(file.fileno()).st_mtime
        return make(text, written)
    except (FileNotFoundError, NotADirectoryError):
        return absent
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError, csv.Error) as error:  # the first: no UTF-8, no JSON, no figure
        raise ResultsError(f"{path} is damaged: {error}") from error
