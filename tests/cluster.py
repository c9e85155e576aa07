"""Several machines on one: Docker engines that see no more of each other than what crosses a wire.

Each has namespaces of its own, for its network with its addresses, ports and packet filter, for its processes and for what they
have mounted; and an engine with its own images, volumes and containers. A bridge is the wire between them. This machine is on it
too, with a registry and what else they need.
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
from polling import PATIENCE, wait_until

BRIDGE, SUBNET = "doodle-swarm", "10.213.77"
HOST = f"{SUBNET}.1"  # this machine's own address on the wire

# A machine's first process: it keeps the engine running, and buries what nobody else waits for. Its arguments: the name, and the
# engine's command.
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
    """The bridge that all of them are plugged into."""

    def __enter__(self):
        self.__exit__()  # what a run that was killed has left
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", f"{HOST}/24", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        run("iptables", "-I", "FORWARD", "-i", BRIDGE, "-o", BRIDGE, "-j", "ACCEPT")  # an engine's own rules let nothing through
        return self

    def __exit__(self, *_):
        for command in (f"iptables -D FORWARD -i {BRIDGE} -o {BRIDGE} -j ACCEPT", f"ip link delete {BRIDGE}"):
            subprocess.run(command.split(), capture_output=True, check=False)


class Machine:
    """A machine with an engine. `up` plugs it in and starts it, `down` leaves nothing of it."""

    def __init__(self, number: int, folder: Path, registry: str):
        self.name, self.address = f"doodle{number}", f"{SUBNET}.{10 + number}"
        self.folder, self._registry = folder / self.name, registry
        self._socket = f"unix://{self.folder}/engine.sock"
        self._process: subprocess.Popen | None = None

    def up(self) -> None:
        self.folder.mkdir(parents=True)
        self.start()

    def _plug_in(self):
        self._unplug()  # what a run that was killed has left
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self.name, "master", BRIDGE, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self.name, "up")
        self.inside("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "link", "set", "eth0", "up")
        self.inside("ip", "route", "add", "default", "via", HOST)

    def inside(self, *command: str) -> str:
        """A command of this machine's network. Not by `ip netns exec`, which mounts a /sys without control groups."""
        return run("nsenter", f"--net=/run/netns/{self.name}", *command)

    def start(self) -> None:
        """Switch it on. Its engine answers a moment later, and is started again where it ends, as a supervisor does it."""
        self._plug_in()
        shutil.rmtree(self.folder / "run", ignore_errors=True)  # on a real one it is in memory
        options = {
            "data-root": self.folder / "data",
            "exec-root": self.folder / "run",
            "pidfile": self.folder / "run/engine.pid",
            "host": self._socket,
            "insecure-registry": self._registry,
            "registry-mirror": f"http://{self._registry}",  # for the public images
        }
        own = ["nsenter", f"--net=/run/netns/{self.name}", "unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc"]
        engine = ["dockerd", *(f"--{name}={value}" for name, value in options.items())]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*own, sys.executable, "-c", INIT, self.name, *engine], stdout=log, stderr=log)

    def wait(self) -> None:
        """Until the engine answers."""
        deadline = time.monotonic() + PATIENCE
        while not self.is_up():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the engine does not answer"
            time.sleep(0.1)

    def is_up(self) -> bool:
        """Not by `docker info`, for which a manager that has lost the others waits half a minute."""
        return self._succeeds("version")

    def manages(self) -> bool:
        """Whether it can say how the Swarm's nodes are: it is a manager, and one of the most of them."""
        return self._succeeds("node", "ls")

    def _succeeds(self, *arguments: str) -> bool:
        return subprocess.run(["docker", "-H", self._socket, *arguments], capture_output=True, check=False).returncode == 0

    def nodes(self) -> list[str]:
        """The Swarm's nodes as a manager sees them: "doodle2 Ready", "doodle3 Down"."""
        return self.docker("node", "ls", "--format", "{{.Hostname}} {{.Status}}").splitlines()

    def docker(self, *arguments: str, timeout: float = 120, **options) -> str:
        return run("docker", "-H", self._socket, *arguments, timeout=timeout, **options)

    def join(self, manager: "Machine", token: str) -> None:
        """The manager's Swarm. On a busy machine that may take longer than the 20 s that `swarm join` has for it: it goes on."""
        joining = ("swarm", "join", "--token", token, "--advertise-addr", self.address, f"{manager.address}:2377")
        done = subprocess.run(["docker", "-H", self._socket, *joining], capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 or "continue in the background" in done.stderr, done.stderr

    def containers(self, service: str) -> list[dict]:
        """What `docker inspect` says of the service's containers that run here."""
        ids = self.docker("ps", "--quiet", "--filter", f"label=com.docker.swarm.service.name={service}").split()
        return json.loads(self.docker("inspect", *ids)) if ids else []

    def restart_engine(self) -> None:
        """As `systemctl restart docker` does it: its containers are told to end, and come back with it."""
        (init,) = _children(self._process.pid)
        (engine,) = (pid for pid in _children(init) if Path(f"/proc/{pid}/comm").read_text() == "dockerd\n")
        os.kill(engine, signal.SIGTERM)
        wait_until(lambda: not Path(f"/proc/{engine}").exists(), "the engine ends")
        self.wait()

    def die(self) -> None:
        """All at once, as when it is switched off: what is sent to it from then on gets no answer, not even a refusal. With its
        first process go all others, and with its network all that was set up in that. The disk stays."""
        self._unplug()
        for init in _children(self._process.pid):
            os.kill(init, signal.SIGKILL)
        self._process.wait()

    def cut_off(self, others: list["Machine"], url: str = "") -> None:
        """Nothing goes between it and the others any more, either way, nor from it to this URL; else this machine reaches it."""
        for rule in self._rules(others, url):
            self.inside("iptables", "-I", *rule, "-j", "DROP")

    def join_again(self, others: list["Machine"], url: str = "") -> None:
        for rule in self._rules(others, url):
            self.inside("iptables", "-D", *rule, "-j", "DROP")

    def _rules(self, others, url):
        """Of the packet filter. What goes to a URL comes from containers: it is passed on."""
        for other in others:
            yield "INPUT", "-s", other.address
            yield "OUTPUT", "-d", other.address
        if url:
            where = urlsplit(url)
            yield "FORWARD", "-d", where.hostname, "-p", "tcp", "--dport", str(where.port)

    def down(self) -> None:
        if self._process is not None:
            self.die()
        subprocess.run(["rm", "-rf", self.folder], check=False)  # a file system's worth, some of it on its way out

    def _unplug(self):
        """The wire too: a namespace that something still holds would keep it."""
        for command in (f"ip link delete {self.name}", f"ip netns delete {self.name}"):
            subprocess.run(command.split(), capture_output=True, check=False)


def _children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
