"""DOODLE_API_KEY in .env: the stack asks for it, and the stages of the pipeline, which have it from there too, bring it."""

import httpx
import pytest

pytestmark = pytest.mark.slow

KEY = "a-key-for-the-tests-of-the-stack"
BRING = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
def key(stack):
    stack.environment["DOODLE_API_KEY"] = KEY
    stack.up()
    yield KEY
    del stack.environment["DOODLE_API_KEY"]
    stack.up()


def test_feedback_and_candidates_are_for_those_who_bring_it_and_the_stages_do(stack, key):
    said = {"prediction_id": stack.predict()["prediction_id"], "actual_digit": 1}
    for url in (stack.api, f"{stack.page}/api"):
        refused = httpx.post(f"{url}/feedback", json=said, timeout=10)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.post(f"{url}/feedback", json=said, headers=BRING, timeout=10).status_code == 200
    assert httpx.get(f"{stack.api}/live/model").status_code == 401
    live = httpx.get(f"{stack.api}/live/model", headers=BRING).json()["version"]
    asked = "from trainer.workspace import TrainerSettings; print(TrainerSettings().stack.version('live'))"
    assert stack.compose("exec", "-T", "trainer", "python", "-c", asked).strip() == live
    assert not any(key in stack.log(service) for service in ("inference", "trainer", "frontend"))
