"""Programs that tests run to their end."""

import subprocess
from pathlib import Path


def run(*command: str | Path, timeout: float = 120, **options) -> str:
    """What the command printed; its error as the test's failure."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-4000:]}{done.stdout[-1000:]}"
    return done.stdout
