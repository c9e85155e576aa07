"""Measure the capacity of one to three machines, and the cost of a request: `make scale` updates docs/advanced/scale.md.

All machines share the two cores of this one. Each gets a fixed part of a core, so that the number of machines sets the capacity.
"""

import json
from pathlib import Path
from statistics import median

import pytest
from load import wrk_load
from polling import wait_until

REPLICA_CORES, NGINX_CORES = 0.25, 0.15  # of each machine
ROUNDS, ROUND_SECONDS, STEADY_SECONDS = 5, 8, 20
SHARE = 0.7  # of the capacity, for the time that answers take


@pytest.fixture(scope="module")
def limited(swarm):
    """The Swarm with the same CPU limits on each machine."""
    manager = swarm.manager
    for service, cores in {"inference": REPLICA_CORES, "frontend": NGINX_CORES}.items():
        manager.docker(
            "service", "update", "--quiet", "--detach=false", "--limit-cpu", str(cores), f"doodle_{service}", timeout=300
        )
    manager.docker(
        "service", "update", "--quiet", "--detach=false", "--replicas-max-per-node", "1", "doodle_inference", timeout=300
    )
    return swarm


def serving(swarm, count):
    """Scale the service to `count` replicas, one a machine; return the machines that have one."""
    swarm.manager.docker("service", "scale", "--detach=false", f"doodle_inference={count}", timeout=300)
    swarm.settle()
    return [machine for machine in swarm.machines if machine.containers("doodle_inference")]


def processor_seconds(container):
    """CPU seconds of all processes of a container, from its control group (version 1 or 2)."""
    for file in Path("/sys/fs/cgroup").rglob(f"*{container['Id']}*/cpuacct.usage"):
        return int(file.read_text()) / 1e9
    (file,) = Path("/sys/fs/cgroup").rglob(f"*{container['Id']}*/cpu.stat")
    return int(file.read_text().split("usage_usec")[1].split()[0]) / 1e6


def bytes_sent(machine, container):
    lines = machine.docker("exec", container["Id"], "cat", "/proc/net/dev").splitlines()[2:]
    return sum(int(line.split(":")[1].split()[8]) for line in lines if not line.strip().startswith("lo:"))


def used(swarm):
    """(CPU seconds, bytes sent) by service, over all containers of the services that handle a request."""
    found = {}
    for service in ("frontend", "inference", "redis"):
        containers = [(machine, each) for machine in swarm.machines for each in machine.containers(f"doodle_{service}")]
        found[service] = (
            sum(processor_seconds(each) for _, each in containers),
            sum(bytes_sent(machine, each) for machine, each in containers),
        )
    return found


def check_all_answered(found):
    if found.failed or found.refused:
        pytest.fail(f"{found.failed} requests failed, and these were rejected: {found.refused}")


def test_measure(limited, balancing, require, documented):
    wrk = require("wrk")
    capacities = {}
    for count in (1, 2, 3):
        machines = serving(limited, count)
        with balancing(machines) as url:
            connections, rounds = 16 * count, []
            for _ in range(1 + ROUNDS):
                with wrk_load(wrk, url, ROUND_SECONDS, connections) as most:
                    pass
                check_all_answered(most)
                rounds.append(most.rate)
            # Without the first round: a replica that has just started has used up its CPU quota.
            capacities[count] = median(rounds[1:])
            print(json.dumps({count: rounds}))
            pause = 1000.0 * connections / (SHARE * capacities[count])
            before = used(limited)
            with wrk_load(wrk, url, STEADY_SECONDS, connections, pause) as steady:
                pass
            after = used(limited)
        check_all_answered(steady)
        gain = f"{capacities[count] / capacities[1]:.2f}"
        documented("swarm-growth", str(count), f"{capacities[count]:.0f}", gain, f"{steady.rate:.0f}", f"{steady.p99:.0f}")
    for service, (seconds, sent) in after.items():
        cost = 1e3 * (seconds - before[service][0]) / steady.answered, (sent - before[service][1]) / steady.answered
        documented("swarm-costs", service, f"{cost[0]:.3f}", f"{cost[1]:.0f}")
        print(json.dumps({service: cost}))
    wait_until(lambda: limited.is_settled(), "the stack has settled")
