"""What one request of each kind costs the service: `make costs`.

Every body of worst_requests.py is sent to a real service with the repository's model. CPU time and peak memory come from the
kernel. The command writes the table of docs/security.md, and fails where a request costs more than is allowed.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from stores.models import LIVE, open_models
from worst_requests import WORST, WorstRequest

PROJECT = Path(__file__).resolve().parents[1]
ROUNDS = 5
CPU_MS, MEMORY_MIB = 200.0, 64.0


def cpu_seconds(pid: int) -> float:
    """What all threads of a process have used."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_mib(pid: int, name: str) -> float:
    return int(re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def cost(client: httpx.Client, pid: int, request: WorstRequest) -> tuple[int, float, float]:
    """Its status, CPU milliseconds (the median) and mebibytes above what the service had before (the maximum)."""
    body, headers = request.body(), {"Content-Type": request.content_type}
    milliseconds, mebibytes, status = [], [], 0
    for _ in range(ROUNDS):
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak starts anew
        memory, cpu = memory_mib(pid, "VmRSS"), cpu_seconds(pid)
        status = client.post(request.path, content=body, headers=headers).status_code
        milliseconds.append((cpu_seconds(pid) - cpu) * 1e3)
        mebibytes.append(memory_mib(pid, "VmHWM") - memory)
    return status, statistics.median(milliseconds), max(mebibytes)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        models = open_models(f"{folder}/models")
        models.point(LIVE, models.publish(PROJECT / "artifacts" / "model")["version"])
        probe.close()
        settings = {
            "DOODLE_PORT": str(port),
            "DOODLE_MODELS": f"{folder}/models",
            "DOODLE_JOURNAL": f"sqlite:///{folder}/j.sqlite",
        }
        service = subprocess.Popen([sys.executable, "-m", "inference"], env=os.environ | settings, stdout=subprocess.DEVNULL)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                for _ in range(200):
                    try:
                        client.get("/readyz").raise_for_status()
                        break
                    except httpx.HTTPError:
                        time.sleep(0.1)
                for name, request in ((n, r) for n, r in WORST.items() if not sys.argv[1:] or any(a in n for a in sys.argv[1:])):
                    try:
                        status, ms, mib = cost(client, service.pid, request)
                        print(f"{name:55} {request.path:25} {status} {ms:8.1f} ms {mib:8.1f} MiB", flush=True)
                    except httpx.HTTPError as error:
                        print(f"{name:55} {request.path:25} {error!r}", flush=True)
        finally:
            service.terminate()
            service.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
