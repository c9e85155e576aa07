"""Simulate several machines on one: Docker engines that reach each other only through a bridge.

Each machine has its own namespaces for network, processes and mounts. Each engine has its own images, volumes and containers.
This machine is on the bridge too and runs the registry.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from commands import run
from polling import WAIT_SECONDS, wait_until

BRIDGE, SUBNET = "doodle-swarm", "10.213.77"
HOST = f"{SUBNET}.1"  # this machine's address on the bridge

# A machine's first process restarts the engine and reaps orphans. Its arguments: the host name and the engine's command.
INIT = """
import os, socket, subprocess, sys, time
socket.sethostname(sys.argv[1])
while True:
    engine = subprocess.Popen(sys.argv[2:])
    while os.wait()[0] != engine.pid:
        pass
    time.sleep(1)
"""


class Wire:
    """The bridge between all machines."""

    def __enter__(self):
        self.__exit__()  # a killed run leaves its bridge behind
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{HOST}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        run("iptables", "-I", "FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")  # engines drop forwarded packets
        return self

    def __exit__(self, *_):
        for command in (f"iptables -D FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT", f"ip link delete {BRIDGE}"):
            subprocess.run(command.split(), capture_output=True, check=False)


class Machine:
    """A machine with an engine. `up` connects and starts it; `down` removes it."""

    def __init__(self, number: int, folder: Path, registry: str):
        self.name, self.address = f"doodle{number}", f"{SUBNET}.{10 + number}"
        self.folder, self._registry = folder / self.name, registry
        self._socket = f"unix://{self.folder}/engine.sock"
        self._process: subprocess.Popen | None = None

    def up(self) -> None:
        self.folder.mkdir(parents=True)
        self.start()

    def _plug_in(self):
        self._unplug()  # a killed run leaves its links behind
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.name, "master", BRIDGE, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.name, "up")
        self.inside("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "route", "add", "default", "via", HOST)

    def inside(self, *command: str) -> str:
        """Run a command in this machine's network. `ip netns exec` would mount a /sys without control groups."""
        return run("nsenter", f"--net=/run/netns/{self.name}", *command)

    def start(self) -> None:
        """Start the machine. Its engine answers a moment later; the first process restarts it when it exits."""
        self._plug_in()
        shutil.rmtree(self.folder / "run", ignore_errors=True)  # a real machine has it in memory
        options = {
            "data-root": self.folder / "data",
            "exec-root": self.folder / "run",
            "pidfile": self.folder / "run/engine.pid",
            "host": self._socket,
            "insecure-registry": self._registry,
        }
        own = ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        engine = ["dockerd", *(f"--{name}={value}" for name, value in options.items())]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*own, sys.executable, "-c", INIT, self.name, *engine], stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until the engine answers."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not self.is_up():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the engine does not answer"
            time.sleep(0.1)

    def is_up(self) -> bool:
        """Return whether the engine answers. `docker info` takes half a minute on a manager without quorum."""
        return self._succeeds("version")

    def manages(self) -> bool:
        """Return whether this machine is a manager with quorum."""
        return self._succeeds("node", "ls")

    def _succeeds(self, *arguments: str) -> bool:
        return subprocess.run(["docker", "-H", self._socket, *arguments], capture_output=True, check=False).returncode == 0

    def nodes(self) -> list[str]:
        """Return the Swarm's nodes as this manager sees them: "doodle2 Ready", "doodle3 Down"."""
        return self.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").splitlines()

    def docker(self, *arguments: str, timeout: float = 120, **options) -> str:
        return run("docker", "-H", self._socket, *arguments, timeout=timeout, **options)

    def join(self, manager: "Machine", token: str) -> None:
        """Join the manager's Swarm. On a busy machine the join goes on after `swarm join` gives up waiting (20 s)."""
        joining = ("swarm", "join", "--token", token, "--advertise-addr", self.address, f"{manager.address}:2377")
        done = subprocess.run(["docker", "-H", self._socket, *joining], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or "continue in the background" in done.stderr, done.stderr

    def containers(self, service: str) -> list[dict]:
        """Return `docker inspect` of the service's running containers on this machine."""
        ids = self.docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={service}").split()
        return json.loads(self.docker("inspect", *ids)) if ids else []

    def restart_engine(self) -> None:
        """Restart the engine as `systemctl restart docker` does: its containers stop and start with it."""
        (init,) = _children(self._process.pid)
        (engine,) = (pid for pid in _children(init) if Path(f"/proc/{pid}/comm").read_text() == "dockerd\n")
        os.kill(engine, signal.SIGTERM)
        wait_until(lambda: not Path(f"/proc/{engine}").exists(), "the engine ends")
        self.wait()

    def die(self) -> None:
        """Kill all processes and remove the network, as a power cut does. Packets get no answer. The disk stays."""
        self._unplug()
        for init in _children(self._process.pid):
            os.kill(init, signal.SIGKILL)
        self._process.wait()

    def cut_off(self, others: list["Machine"], url: str = "") -> None:
        """Drop all packets between this machine and the others, and from this machine to `url`."""
        for rule in self._rules(others, url):
            self.inside("iptables", "-I", *rule, "-j", "DROP")

    def join_again(self, others: list["Machine"], url: str = "") -> None:
        for rule in self._rules(others, url):
            self.inside("iptables", "-D", *rule, "-j", "DROP")

    def _rules(self, others, url):
        """Yield rules for the packet filter. Packets to the URL come from containers, so they are forwarded."""
        for other in others:
            yield "INPUT", "-s", other.address
            yield "OUTPUT", "-d", other.address
        if url:
            where = urlsplit(url)
            yield "FORWARD", "-d", where.hostname, "-p", "tcp", "--dport", str(where.port)

    def down(self) -> None:
        if self._process is not None:
            self.die()
        subprocess.run(["rm", "-rf", self.folder], check=False)  # shutil fails when files vanish meanwhile

    def _unplug(self):
        """Delete the link and the namespace. A namespace in use would keep the link."""
        for command in (f"ip link delete {self.name}", f"ip netns delete {self.name}"):
            subprocess.run(command.split(), capture_output=True, check=False)


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
