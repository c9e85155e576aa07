"""Probes, the model card, and the OpenAPI description."""

import base64
import hashlib
import json
import re

import pytest
from deployment.version import doodle_version
from inference.app import MAX_REQUESTS
from inference.schemas.requests import PredictRequest
from inference.schemas.responses import Problem


@pytest.mark.parametrize("slash", ["", "/"])
def test_probes_and_the_model_card(service, models_folder, live_folder, slash):
    for probe in ("/healthz", "/readyz"):
        response = service.get(probe + slash)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        head = service.client.head(probe + slash)
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "15")
    card = json.loads((live_folder(models_folder) / "model.json").read_text())
    assert service.get(f"/model{slash}").json() == card | {"doodle_version": doodle_version()}
    for path, kind in (("/metrics", "text/plain; version="), ("/openapi.json", "application/json"), ("/docs", "text/html")):
        assert service.get(path + slash).headers["content-type"].startswith(kind)


def test_docs_page_allows_only_its_own_scripts(service):
    response = service.get("/docs")
    assert "location.pathname.replace(/docs\\/?$/, 'openapi.json')" in response.text  # also works under /api/
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    (from_elsewhere, nothing), (_, ours) = re.findall(r"<script([^>]*)>(.*?)</script>", response.text)
    assert nothing == ""
    for attributes in (from_elsewhere, re.search("<link rel=.stylesheet.([^>]*)>", response.text)[1]):
        assert re.search(r'"https://cdn\.jsdelivr\.net/npm/swagger-ui-dist@\d+\.\d+\.\d+/', attributes)
        assert re.search(r'integrity="sha384-[\w+/]{64}" crossorigin="anonymous"', attributes)
    host, own = policy["script-src"].split()
    assert host in from_elsewhere
    assert own == f"'sha256-{base64.b64encode(hashlib.sha256(ours.encode()).digest()).decode()}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.fixture(scope="module")
def description(service):
    return service.get("/openapi.json").json()


JSON, PROBLEM = "application/json", "application/problem+json"


def name_of(content, media_type=JSON):
    schema = content["content"][media_type]["schema"]
    return schema.get("anyOf", [schema])[0]["$ref"].removeprefix("#/components/schemas/")


def test_describes_each_path_once_without_a_slash(description):
    assert sorted(description["paths"]) == [
        *("/candidate/disagreements", "/candidate/model", "/candidate/predict", "/explain", "/feedback", "/healthz"),
        *("/learn", "/live/model", "/live/predict", "/metrics", "/model", "/predict", "/predictions/{prediction_id}"),
        "/predictions/{prediction_id}/feedback",
        *("/read", "/readyz", "/snapshots", "/unit", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/doodle"),
        *("/v2/models/doodle/infer", "/v2/models/doodle/ready"),
    ]
    assert all("503" in description["paths"][path]["get"]["responses"] for path in ("/model", "/readyz"))


def test_describes_predict_with_a_working_example(description, service):
    predict, schemas = description["paths"]["/predict"]["post"], description["components"]["schemas"]
    assert predict["requestBody"]["required"] is True
    assert set(predict["requestBody"]["content"]) == {JSON, "application/octet-stream", "image/png", "image/jpeg", "image/webp"}
    forms = [schemas[each["$ref"].split("/")[-1]] for each in schemas[name_of(predict["requestBody"])]["oneOf"]]
    assert set().union(*(form["properties"] for form in forms)) == set(PredictRequest.model_fields)
    assert [form["required"] for form in forms] == [["strokes"], ["image_vector"]]
    example = {name: each["examples"][0] for name, each in forms[0]["properties"].items() if "examples" in each}
    answer = service.post_json(example, "/predict?input=true").json()
    assert answer["is_digit"] is True
    assert set(schemas[name_of(predict["responses"]["200"])]["properties"]) == set(answer)
    for code in ("400", "413", "415", "422", "503"):
        assert name_of(predict["responses"][code], PROBLEM) == Problem.__name__


def test_describes_a_digit_as_integer_text_or_null(description):
    schema = description["components"]["schemas"]["FeedbackById"]["properties"]["actual_digit"]["anyOf"]
    assert schema == [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": list("0123456789")}, {"type": "null"}]


@pytest.mark.parametrize("path", ["/model", "/snapshots", "/openapi.json"])
def test_caches_revalidate_what_seldom_changes(serve, publish_model, tmp_path, path):
    publish_model(tmp_path, snapshots=True)
    with serve(tmp_path) as client:
        first = client.get(path)
        assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
        tag = first.headers["etag"]
        for known in (tag, f'"other", W/{tag}', "*"):
            again = client.get(path, headers={"If-None-Match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        publish_model(tmp_path, 1, snapshots=True)
        client.app.state.services.live.refresh()
        changed = client.get(path, headers={"If-None-Match": tag}).status_code
        assert changed == (304 if path == "/openapi.json" else 200)


def test_caches_store_no_other_answer(service, strokes):
    answers = [service.post_json({"strokes": strokes}), service.post_json({}), service.get("/healthz"), service.get("/nothing")]
    assert [answer.headers["cache-control"] for answer in answers] == ["no-store"] * 4
    assert answers[0].headers["ratelimit-policy"] == f'"in-flight";q={MAX_REQUESTS};qu="concurrent-requests"'
    assert answers[0].headers["ratelimit"] == f'"in-flight";r={MAX_REQUESTS - 1}'
