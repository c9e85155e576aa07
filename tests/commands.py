"""Run programs to completion."""

import subprocess
from pathlib import Path


def run(*command: str | Path, timeout: float = 120, **options) -> str:
    """Return the command's output; fail the test with its error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-4000:]}{done.stdout[-1000:]}"
    return done.stdout
