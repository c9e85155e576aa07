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


def test_feedback_is_taken_from_who_brings_it_alone(stack, key):
    said = {"prediction_id": stack.predict()["prediction_id"], "actual_digit": 1}
    for url in (stack.api, f"{stack.page}/api"):
        refused = httpx.post(f"{url}/feedback", json=said, timeout=10)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert httpx.post(f"{url}/feedback", json=said, headers=BRING, timeout=10).status_code == 200


def test_candidates_are_shown_to_who_brings_it_alone(stack, key):
    assert httpx.get(f"{stack.api}/live/model").status_code == 401
    live = httpx.get(f"{stack.api}/live/model", headers=BRING).json()["version"]
    assert live == httpx.get(f"{stack.api}/model").json()["version"]


def test_a_stage_of_the_pipeline_brings_it(stack, key):
    """As `serve`, `test` and `end` ask which version is live."""
    program = (
        "import os\nfrom trainer.workspace import Workspace\nprint(Workspace.from_environment(os.environ).stack.version('live'))"
    )
    live = httpx.get(f"{stack.api}/model").json()["version"]
    assert stack.compose("exec", "-T", "trainer", "python", "-c", program).strip() == live


def test_it_is_in_no_log(stack, key):
    for service in ("inference", "trainer", "frontend"):
        assert key not in stack.log(service)
