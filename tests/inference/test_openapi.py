"""Fuzz the running service with schemathesis: requests that match its OpenAPI description, and requests that do not.

No answer may be a 5xx or undescribed. Matching requests must be accepted, and others rejected.
"""

import ipaddress
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inference.image_files.decode import ANY_BYTES, IMAGE_TYPES
from inference.schemas.requests import PIXELS
from pngs import file_of
from schemathesis import GenerationMode
from stores.models import CANDIDATE
from stores.models.folder import FolderModels

pytestmark = pytest.mark.slow

# The route that generates requests, and the routes that receive them. Generation takes most of the time.
ROUTES = {route: [route] for route in ("/explain", "/unit", "/snapshots", "/learn", "/feedback", "/v2/models/doodle/infer")}
ROUTES["/predict"] = ["/predict", "/live/predict", "/candidate/predict", "/read"]
MODES = {
    "1,000 valid requests to each route": GenerationMode.POSITIVE,
    "1,000 invalid requests to each route": GenerationMode.NEGATIVE,
}
DRAWN = 8  # generated numbers of a vector, which are repeated to 784: generating all is ten times slower
CONFIG = Path(__file__).with_name("schemathesis.toml")
IMAGE = st.sampled_from([file_of(np.pad(np.full((40, 5), 255, np.uint8), (8, 26)), form) for form in ("PNG", "JPEG", "WEBP")])
for media_type in (ANY_BYTES, *IMAGE_TYPES):
    schemathesis.openapi.media_type(media_type, IMAGE)


@pytest.fixture(scope="module")
def service(run_service, publish_model, tmp_path_factory):
    """Run a service whose model has a no-digit class and snapshots, and a candidate."""
    folder = tmp_path_factory.mktemp("models")
    card = publish_model(folder, layers=["flatten", {"dense": {"units": 11}}], snapshots=True)
    FolderModels(folder).point(CANDIDATE, card["version"])
    with run_service(folder) as running:
        yield running


@pytest.fixture(scope="module")
def description(service):
    """Return the served description with a shorter image_vector, without its rows, which are as slow to generate."""
    served = requests.get(f"{service.url}/openapi.json", timeout=10).json()
    for schema in served["components"]["schemas"].values():
        forms = schema.get("properties", {}).get("image_vector", {}).get("anyOf", [])
        for vector in [each for each in forms if each["type"] == "array"]:
            if vector["maxItems"] != PIXELS:
                forms.remove(vector)
            else:
                vector["minItems"] = vector["maxItems"] = DRAWN
    described = {path for path, methods in served["paths"].items() if "post" in methods}
    assert described == {each for routes in ROUTES.values() for each in routes}
    return schemathesis.openapi.from_dict(served, config=schemathesis.Config.from_path(CONFIG))


def as_described(body):
    """Extend a short vector to the described length."""
    vector = body.get("image_vector") if isinstance(body, dict) else None
    if not isinstance(vector, list) or len(vector) != DRAWN:
        return body
    return body | {"image_vector": vector * (PIXELS // DRAWN)}


@pytest.mark.parametrize("kind", MODES)
@pytest.mark.parametrize("route", ROUTES)
def test_answers_generated_requests_as_described(service, description, documented, route, kind):
    made, session = 0, requests.Session()
    session.trust_env = False  # it would look for a proxy before each request

    @given(case=description[route]["POST"].as_strategy(generation_mode=MODES[kind]))
    @settings(max_examples=1000, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    def ask(case):
        nonlocal made
        made += 1
        # One address each, because feedback is limited by address.
        headers = {**(case.headers or {}), "X-Forwarded-For": str(ipaddress.ip_address(made))}
        drawn = {"body": as_described(case.body), "media_type": case.media_type, "_meta": case.meta}
        for each in ROUTES[route]:
            operation, query = description[each]["POST"], case.query
            if MODES[kind] is GenerationMode.POSITIVE:  # the first route has parameters that others lack
                query = {name: value for name, value in (query or {}).items() if name in {each.name for each in operation.query}}
            sent = operation.Case(headers=headers, query=query, **drawn)
            answer = sent.call(base_url=service.url, session=session)
            sent.validate_response(answer)  # runs all checks of schemathesis
            assert answer.status_code < 500

    ask()
    assert made >= 1000
    assert service.process.poll() is None
    documented("bad-requests", kind, "no 5xx")


def test_described_edge_cases_pass(service):
    """Run schemathesis's fixed list: each bound of each field, each method, each missing part."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", f"{service.url}/openapi.json"]
    options = ["--phases", "examples,coverage", "--checks", "all", "--continue-on-failure", "--no-color"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
