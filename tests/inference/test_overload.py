"""Attacks on one replica: bodies that cost too much, and many expensive requests. Ordinary predictions go on.

Each of them killed or starved the service at commit 9de9523.
"""

import asyncio
import json
import re
import resource
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from inference import reading
from inference.app import create_app
from inference.settings import Settings
from worst_requests import JSON, LINE, STEPS, WORST, png

CONTAINER_BYTES = 2**30
MEMORY_MIB = 96  # above what the service has already: the bounds of docs/security.md, for small and large images
ORDINARY = {"strokes": LINE}


@pytest.fixture(scope="module")
def in_a_container(run_service, models_folder):
    """A service that may have as much memory as its container in docker-compose.yml."""
    with run_service(models_folder, MALLOC_ARENA_MAX="1") as running:
        resource.prlimit(running.process.pid, resource.RLIMIT_DATA, (CONTAINER_BYTES, CONTAINER_BYTES))
        running.post_bytes(png(28, 28))  # Pillow is there
        yield running


def memory_mib(service, name):
    return int(re.search(rf"{name}:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text())[1]) / 1024


@pytest.mark.parametrize("name", WORST)
def test_no_request_takes_the_service_down(in_a_container, documented, name):
    service, attack = in_a_container, WORST[name]
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")  # the peak starts anew
    before = memory_mib(service, "VmRSS")
    assert service.post_bytes(attack.body(), attack.content_type, attack.path).status_code < 500
    assert memory_mib(service, "VmHWM") - before < MEMORY_MIB
    assert service.post_json(ORDINARY).status_code == 200
    documented(
        "attacks",
        "the most expensive body of each kind, to a replica with 1 GiB of memory",
        f"none is answered with a 5xx, or takes more than {MEMORY_MIB} MiB; [their costs](security.md#what-a-request-costs)",
    )


EXPENSIVE_TO_READ = ("1,000 strokes of one point", "20,000 points", "a PNG of 4,096 x 3,072", "64,000 pixels that are 2")


@pytest.mark.parametrize("name", EXPENSIVE_TO_READ)
def test_an_ordinary_drawing_does_not_wait_for_an_expensive_one(models_folder, tmp_path, monkeypatch, name):
    answered, attack = threading.Event(), WORST[name]

    def waiting(step):
        """The same step; on a thread, only once the ordinary drawing is answered."""

        def waits(*arguments):
            assert threading.current_thread() is threading.main_thread() or answered.wait(10)
            return step(*arguments)

        return waits

    for step in {"_parsed", "picture_of", "_drawing_in"} & set(dir(reading)):
        monkeypatch.setattr(reading, step, waiting(getattr(reading, step)))

    async def test():
        app = create_app(Settings(models=str(models_folder), journal=f"sqlite:///{tmp_path}/journal.sqlite"))
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
        ):
            headers = {"Content-Type": attack.content_type}
            expensive = asyncio.create_task(client.post(attack.path, content=attack.body(), headers=headers))
            await asyncio.sleep(0.05)
            assert (await client.post("/predict", json=ORDINARY)).status_code == 200
            assert not expensive.done()
            answered.set()
            assert (await expensive).status_code < 500

    asyncio.run(test())


def flood(service, path, body, count=80):
    """Send these requests at once, and ordinary drawings meanwhile, one after the other. Return the statuses of both."""
    with ThreadPoolExecutor(count) as attackers:
        attacks = [attackers.submit(service.post_json, body, path) for _ in range(count)]
        ordinary = [service.post_json(ORDINARY).status_code for _ in range(10)]
        return [attack.result().status_code for attack in attacks], ordinary


@pytest.mark.parametrize(
    ("name", "path", "body", "statuses"),
    [
        ("80 requests at once for 50 training steps each", "/learn", {"strokes": LINE, "lessons": STEPS}, {200, 429}),
        ("80 requests at once for occlusion", "/explain?occlusion=true", {"strokes": LINE}, {200, 429}),
        (
            "feedback to an unknown prediction, 80 times at once",
            "/feedback",
            {"prediction_id": "0" * 32, "actual_digit": 5},
            {404},
        ),
    ],
)
def test_a_flood_of_expensive_requests_leaves_room_for_predictions(service, documented, name, path, body, statuses):
    attacks, ordinary = flood(service, path, body)
    assert ordinary == [200] * len(ordinary)
    assert set(attacks) == statuses
    effects = {
        429: "a queue takes a few, and the service rejects the rest (429)",
        404: "each is answered 404 after half a second",
    }
    documented("attacks", name, f"{effects[max(statuses)]}; every ordinary prediction is answered")


def test_nothing_is_computed_for_clients_that_left(service, eventually, documented):
    body = json.dumps({"strokes": LINE, "lessons": STEPS}).encode()
    head = f"POST /learn HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    address, before = service.url.removeprefix("http://").split(":"), service.sample("doodle_lessons_total")
    connections = [socket.create_connection(address) for _ in range(12)]
    for connection in connections:
        connection.sendall(head + body)
    for connection in connections:
        connection.close()
    # Calls run in their order: this one comes after all that are still computed.
    last = {"strokes": LINE, "lessons": STEPS[:1]}
    eventually(lambda: service.post_json(last, "/learn").status_code == 200, "there is room in the queue")
    assert service.sample("doodle_lessons_total") - before < len(connections) * len(STEPS)
    documented("attacks", "clients that send requests for training steps and leave", "their requests leave the queue")
