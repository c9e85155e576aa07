"""Programs that tests run to their end."""

import subprocess
from pathlib import Path

# Docker 20.10, which Debian 12 has, may read what it has just let go of when it builds several images at once, and then it ends
# itself (github.com/moby/buildkit/issues/2861).
ONE_BUILD_AT_A_TIME = {"COMPOSE_PARALLEL_LIMIT": "1"}


def run(*command: str | Path, timeout: float = 120, **options) -> str:
    """What the command printed; its error as the test's failure."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr[-4000:]}{done.stdout[-1000:]}"
    return done.stdout
