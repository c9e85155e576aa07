"""The exporter probes the page and a prediction."""

import pytest
from app_server import serving
from exporter.front_door import FrontDoor
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

KEY = "0123456789abcdef"


async def page(_):
    return PlainTextResponse('<canvas id="doodle-canvas">')


async def predict(request):
    sound = request.headers.get("X-API-Key") == KEY and len((await request.json())["strokes"]) == 1
    return PlainTextResponse('{"model_version": "0123456789ab"}', 200 if sound else 401)


PAGE, PREDICT = Route("/", page), Route("/live/predict", predict, methods=["POST"])


@pytest.mark.parametrize(
    ("routes", "key", "page", "prediction"),
    [([PAGE, PREDICT], KEY, 1, 1), ([PAGE, PREDICT], "", 1, 0), ([PAGE], KEY, 1, 0), ([PREDICT], KEY, 0, 1)],
    ids=["all is well", "no key", "no prediction", "no page"],
)
def test_reports_what_a_user_gets(collect, routes, key, page, prediction):
    with serving(Starlette(routes=routes)) as address:
        front_door = FrontDoor(f"http://{address}", f"http://{address}", key)
        assert collect(front_door) == ({}, None)
        front_door.probe()
    samples, _ = collect(front_door)
    assert (samples["doodle_probe_success", "page"], samples["doodle_probe_success", "predict"]) == (page, prediction)
    assert samples["doodle_probe_duration_seconds", "page"] > 0
    front_door.probe()  # the server is down
    samples, _ = collect(front_door)
    assert (samples["doodle_probe_success", "page"], samples["doodle_probe_success", "predict"]) == (0, 0)
