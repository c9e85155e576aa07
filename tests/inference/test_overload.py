"""Expensive bodies and floods of expensive requests do not block ordinary predictions."""

import asyncio
import contextlib
import json
import re
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from bounds import within
from inference import body, services
from inference.routes import inspect, read
from raw_http import connected, post
from worst_requests import JSON, LINE, PNG, STEPS, WORST, png

MEMORY_MIB = {"": 96, "a progressive JPEG": 128, "a WebP": 224}  # additional memory per request, as in docs/security.md
ORDINARY, UNKNOWN = {"strokes": LINE}, {"prediction_id": "0" * 32, "actual_digit": 5}
HEAVY = ("4,096 x 3,072, ", "1 MiB")  # these take seconds


@pytest.mark.parametrize("name", [name for name in WORST if not any(part in name for part in HEAVY)])
def test_answers_expensive_bodies_within_memory_and_time(service, name):
    attack, body = WORST[name], WORST[name].body()
    with within():
        assert service.post_bytes(body, attack.content_type, attack.path).status_code < 500
    assert service.post_json(ORDINARY).status_code == 200


@pytest.mark.slow
def test_expensive_requests_stay_within_the_container_s_memory(run_service, models_folder, documented):
    """The process has the memory limit of docker-compose.yml."""
    with run_service(models_folder, MALLOC_ARENA_MAX="1") as service:
        process = Path(f"/proc/{service.process.pid}")

        def mebibytes(name):
            return int(re.search(rf"{name}:\s+(\d+) kB", (process / "status").read_text())[1]) / 1024

        resource.prlimit(service.process.pid, resource.RLIMIT_DATA, (2**30, 2**30))
        service.post_bytes(png(28, 28))  # loads Pillow
        for name, attack in WORST.items():
            (process / "clear_refs").write_text("5")  # resets the peak
            before = mebibytes("VmRSS")
            assert service.post_bytes(attack.body(), attack.content_type, attack.path).status_code < 500, name
            limit = max(most for kind, most in MEMORY_MIB.items() if name.startswith(kind))
            assert mebibytes("VmHWM") - before < limit, name
            assert service.post_json(ORDINARY).status_code == 200, name
    documented(
        "attacks",
        "the most expensive body of each kind",
        f"no 5xx, and at most {MEMORY_MIB['']} MiB, for a progressive JPEG {MEMORY_MIB['a progressive JPEG']}, for a WebP "
        f"{MEMORY_MIB['a WebP']}, of the replica's 1 GiB; "
        "see [the costs](security.md)",
    )


@pytest.fixture
def on_this_loop(serve, models_folder):
    """`async with on_this_loop(**settings) as client:` run the app on this event loop."""

    @contextlib.asynccontextmanager
    async def on_this_loop(**settings):
        service = serve(models_folder, **settings).app
        async with (
            service.router.lifespan_context(service),
            httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://x") as client,
        ):
            yield client

    return on_this_loop


def ask(client, path="/predict", body=ORDINARY):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    content_type = JSON if content.startswith(b"{") else PNG
    return asyncio.create_task(client.post(path, content=content, headers={"Content-Type": content_type}))


QUEUES = {  # by queued step: its module, a request that needs it, and the queue's size in the test
    "training": (inspect, "/learn", {"strokes": LINE, "lessons": STEPS[:1]}, 4),
    "explanation": (inspect, "/explain?occlusion=true", ORDINARY, 4),
    "explanation ": (inspect, "/explain", ORDINARY, 3),
    "lines_of": (read, "/read", ORDINARY, 3),
    "unit": (inspect, "/unit", {"strokes": LINE, "layer": 0, "place": [0, 0, 0]}, 3),
    "_parsed": (body, "/predict", WORST["64,000 pixels that are 2"].body(), 2),
    "image_from_strokes": (body, "/predict", WORST["20,000 points"].body(), 2),
    "_image_drawing": (body, "/predict", png(600, 600), 2),
}


@pytest.mark.anyio
@pytest.mark.parametrize("step", QUEUES)
async def test_expensive_requests_queue_and_ordinary_ones_do_not_wait(on_this_loop, monkeypatch, step):
    module, path, content, size = QUEUES[step]
    free, original = threading.Event(), getattr(module, step.strip())

    def waits(*arguments):
        """Block, except on the event loop's thread, where ordinary drawings run."""
        assert threading.current_thread() is threading.main_thread() or free.wait(10)
        return original(*arguments)

    monkeypatch.setattr(module, step.strip(), waits)
    for queue, places in (("SLOW", 4), ("INSPECTIONS", 3), ("READS", 3), ("LARGE", 2)):
        monkeypatch.setattr(services, f"{queue}_WAITING", places)
    async with on_this_loop() as client:
        asking = [ask(client, path, content) for _ in range(1 + size)]
        while (await ask(client, path, content)).status_code != 429:  # until the queue is full
            await asyncio.sleep(0.01)
        assert (await ask(client)).status_code == 200
        assert not any(each.done() for each in asking)
        free.set()
        assert all(answer.status_code in (200, 422) for answer in await asyncio.gather(*asking))


@pytest.fixture(scope="module")
def running(run_service, models_folder):
    with run_service(models_folder) as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "path", "body", "statuses"),
    [
        ("80 concurrent requests for 50 training steps or occlusion", "/learn", {"strokes": LINE, "lessons": STEPS}, {200, 429}),
        ("80 concurrent requests for 50 training steps or occlusion", "/explain?occlusion=true", {"strokes": LINE}, {200, 429}),
        ("80 concurrent feedback requests to an unknown prediction", "/feedback", UNKNOWN, {404, 429}),
    ],
)
def test_predictions_pass_during_a_flood_of_expensive_requests(running, documented, name, path, body, statuses):
    with ThreadPoolExecutor(80) as attackers:
        attacks = [attackers.submit(running.post_json, body, path) for _ in range(80)]
        assert [running.post_json(ORDINARY).status_code for _ in range(10)] == [200] * 10
    assert {attack.result().status_code for attack in attacks} == statuses
    effect = "a queue takes a few" if 200 in statuses else "64 get 404 after half a second"
    documented("attacks", name, f"{effect}, and the service rejects the rest (429); all other predictions are answered")


@pytest.mark.slow
def test_skips_requests_of_disconnected_clients(running, eventually, documented):
    before, count = running.sample("doodle_lessons_total"), 12
    with contextlib.ExitStack() as open_:
        for _ in range(count):
            lessons = json.dumps({"strokes": LINE, "lessons": STEPS}).encode()
            open_.enter_context(connected(running.url)).sendall(post("/learn", lessons))
    # Calls run in order, so this one runs after all others.
    last = {"strokes": LINE, "lessons": STEPS[:1]}
    eventually(lambda: running.post_json(last, "/learn").status_code == 200, "there is room in the queue")
    assert running.sample("doodle_lessons_total") - before < count * len(STEPS)
    documented("attacks", "clients that request training steps and disconnect", "their requests leave the queue")
