"""Run programs to completion."""

import subprocess
from pathlib import Path

# Docker 20.10 (Debian 12) may crash when it builds several images at once (github.com/moby/buildkit/issues/2861).
ONE_BUILD_AT_A_TIME = {"COMPOSE_PARALLEL_LIMIT": "1"}


def run(*command: str | Path, timeout: float = 120, **options) -> str:
    """Return the command's output; fail the test with its error."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-4000:]}{done.stdout[-1000:]}"
    return done.stdout
