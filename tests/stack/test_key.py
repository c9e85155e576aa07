"""DOODLE_API_KEY in .env: the service requires it, and the pipeline's stages send it."""

import httpx
import pytest

pytestmark = pytest.mark.slow

KEY = "a-key-for-the-tests-of-the-stack"
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def key(stack):
    stack.environment["DOODLE_API_KEY"] = KEY
    stack.up()
    yield KEY
    del stack.environment["DOODLE_API_KEY"]
    stack.up()


def test_service_requires_the_key_and_stages_send_it(stack, key):
    body = {"prediction_id": stack.predict()["prediction_id"], "actual_digit": 1}
    for url in (stack.api, f"{stack.page}/api"):
        rejected = httpx.post(f"{url}/feedback", json=body, timeout=10)
        assert (rejected.status_code, rejected.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.post(f"{url}/feedback", json=body, headers=HEADERS, timeout=10).status_code == 200
    assert httpx.get(f"{stack.api}/live/model").status_code == 401
    live = httpx.get(f"{stack.api}/live/model", headers=HEADERS).json()["version"]
    asked = "from trainer.workspace import TrainerSettings; print(TrainerSettings().stack.version('live'))"
    assert stack.compose("exec", "-T", "trainer", "python", "-c", asked).strip() == live
    assert not any(key in stack.log(service) for service in ("inference", "trainer", "frontend"))
