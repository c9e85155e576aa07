"""What the test said of a candidate, as it leaves it in test_result.json: read by whoever releases it, or takes it down."""

import json
from pathlib import Path
from typing import NamedTuple

from digitnet.checkpoint import read_file

MOST_BYTES = 2**20


class Result(NamedTuple):
    version: str  # of the candidate
    passed: bool
    problems: list[str]  # why not


def read_result(file: Path) -> Result:
    """OSError if it cannot be read (FileNotFoundError: nothing was tested), ValueError if it is not what test writes."""
    try:
        result = json.loads(read_file(file, MOST_BYTES))
        return Result(str(result["version"]), result["passed"] is True, [str(problem) for problem in result["problems"]])
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"{file} is damaged or foreign ({error}): run dvc repro") from error
