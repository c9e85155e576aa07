"""What the service says about itself: probes, the model card, and its own description."""

import base64
import hashlib
import json
import re

import pytest


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readyz", "/readyz/"])
def test_a_probe_says_ok(service, path):
    response = service.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/model", "/model/"])
def test_the_model_card_is_the_one_on_disk(service, models_folder, live_folder, path):
    assert service.get(path).json() == json.loads((live_folder(models_folder) / "model.json").read_text())


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_metrics_are_prometheus_text(service, path):
    response = service.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")


def test_the_docs_page_shows_the_description(service):
    response = service.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "url: 'openapi.json'" in response.text  # relative, so that it is found under /api/ too


def test_the_docs_page_runs_one_version_of_one_script_of_others_and_nothing_that_was_put_in(service):
    response = service.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in response.headers["content-security-policy"].split(";"))
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", response.text)
    assert len(scripts) == 2
    (from_elsewhere, nothing), (_, ours) = scripts
    assert nothing == ""
    for attributes in (from_elsewhere, re.search("<link rel=.stylesheet.([^>]*)>", response.text)[1]):
        assert re.search(r'"https://cdn\.jsdelivr\.net/npm/swagger-ui-dist@\d+\.\d+\.\d+/', attributes)
        assert re.search(r'integrity="sha384-[\w+/]{64}" crossorigin="anonymous"', attributes)
    host, own = policy["script-src"].split()
    assert host in from_elsewhere
    assert own == f"'sha256-{base64.b64encode(hashlib.sha256(ours.encode()).digest()).decode()}'"
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"


@pytest.mark.parametrize("path", ["/healthz", "/model", "/metrics", "/docs", "/openapi.json", "/nothing", "/predict"])
def test_no_answer_may_be_taken_for_something_else_than_it_says(service, path):
    assert service.get(path).headers.get_list("x-content-type-options") == ["nosniff"]


@pytest.fixture(scope="module")
def description(service):
    return service.get("/openapi.json").json()


@pytest.fixture(scope="module")
def operation(description):
    return description["paths"]["/predict"]["post"]


def test_each_path_is_described_once_without_its_slash(description):
    assert sorted(description["paths"]) == [
        *(
            "/candidate/disagreements",
            "/candidate/model",
            "/candidate/predict",
            "/explain",
            "/feedback",
            "/healthz",
        ),
        *("/learn", "/live/model", "/live/predict", "/metrics", "/model", "/predict", "/predictions/{prediction_id}"),
        *("/readyz", "/snapshots", "/unit"),
    ]


def test_predict_is_described_with_both_kinds_of_body(operation):
    assert operation["requestBody"]["required"] is True
    assert set(operation["requestBody"]["content"]) == {"application/json", "image/png"}


@pytest.fixture
def body(description, operation):
    """What the description says of /predict's JSON."""
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return description["components"]["schemas"][name]


def test_the_json_body_is_described_with_both_of_its_forms(body):
    assert set(body["properties"]) == {"image_vector", "strokes", "width", "height", "brush"}


def test_the_example_in_the_description_is_a_drawing_that_is_read(body, service):
    (example,) = body["examples"]
    answer = service.post_json(example).json()
    assert answer["is_digit"] is True


def test_the_answer_is_described_with_the_fields_it_has(description, operation, service, strokes):
    name = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    answer = service.post_json({"strokes": strokes}, "/predict?input=true").json()
    assert set(description["components"]["schemas"][name]["properties"]) == set(answer)


@pytest.mark.parametrize("code", ["400", "413", "415", "422", "503"])
def test_each_error_is_described_as_a_detail(description, operation, code):
    name = operation["responses"][code]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = description["components"]["schemas"][name]
    assert {field: facts["type"] for field, facts in schema["properties"].items()} == {"detail": "string"}


@pytest.mark.parametrize("path", ["/model", "/readyz"])
def test_having_no_model_is_described(description, path):
    assert "503" in description["paths"][path]["get"]["responses"]


def test_every_reference_in_the_description_leads_somewhere(description):
    text = json.dumps(description)
    assert text.count('"$ref": "') == text.count('"$ref": "#/components/schemas/')
    references = {part.partition('"')[0] for part in text.split('"$ref": "#/components/schemas/')[1:]}
    assert references
    assert references <= set(description["components"]["schemas"])


def test_a_method_that_is_not_taken_is_told_all_that_are(service):
    answer = service.client.request("PUT", "/snapshots/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


def test_a_digit_is_described_with_its_bounds(description):
    """And with the text that older pages send."""
    said = description["components"]["schemas"]["FeedbackRequest"]["properties"]["actual_digit"]["anyOf"]
    assert said == [{"type": "integer", "minimum": 0, "maximum": 9}, {"enum": list("0123456789")}, {"type": "null"}]
