"""Use the stack through page, API, Prometheus and Grafana."""

import json
import re
import time
from types import SimpleNamespace

import httpx
import pytest
from playwright.sync_api import expect

# Values for Grafana's variables. Prometheus scrapes itself every 15 s, so its rates need a minute.
GRAFANA_VARIABLES = {"$__rate_interval": "60s", "$__interval": "5s", "$__range": "15m"}
# Panels that are empty in a new stack.
EMPTY_AT_FIRST = {
    "doodle": {"Errors per second, by route and status"},
    "doodle-model": {
        *("Candidate", "Candidate agrees with the live model"),
        *("Confirmations", "Feedback confirms", "Confirmations by digit"),
        *("Next window", "Drifted"),  # no window is full yet
        *(f"{form}: {what}" for form in ("Strokes", "Images") for what in ("distance", "distance over time", "drift over time")),
    },
    "doodle-training": {
        *("Progress", "Loss now", "Loss", "Accuracy", "Images per second", "Epochs"),  # no training is running
        *("Last run of each stage", "Time of each stage", "Stages over time"),
    },
    "doodle-stack": {"Alerts"},
}


ELEVEN = {"strokes": [[[100, 40], [102, 240]], [[200, 40], [202, 240]]]}
AWAY_SECONDS = 60
KEPT, THANKS = "Saved on this device.", "Thank you!"


@pytest.fixture(scope="module")
def redis_outage(stack, alerting, chromium, draw, wait_until):
    """Stop Redis for a minute and until the alert fires, during load and feedback on the page.

    Return `receiver`, `load` and `rejected`, the answer to feedback.
    """
    wait_until(lambda: stack.query("prometheus_notifications_alertmanagers_discovered == 1"), "Prometheus has found it")
    wait_until(lambda: stack.query("doodle_journal_up == 1"), "the exporter has been scraped")
    alerting.messages.clear()  # of earlier tests
    page, known = chromium.new_page(), stack.predict()["prediction_id"]
    page.set_default_timeout(30_000)  # a replica's retries take seconds
    wait_until(lambda: stack.logged([known]), "it is in the prediction log")
    status = page.locator("#feedback-status")
    page.goto(stack.page)
    draw(page, 5)
    stack.compose("stop", "redis")
    began = time.monotonic()
    try:
        with stack.load() as load:
            page.get_by_role("button", name="Predict Digit").click()
            expect(page.locator("#result")).to_have_text("Digit: 5")
            page.get_by_role("button", name="Send Feedback").click()
            expect(status).to_contain_text(KEPT, timeout=30_000)
            rejected = httpx.post(f"{stack.api}/feedback", json={"prediction_id": known, "actual_digit": 1}, timeout=10)
            wait_until(lambda: alerting.alerts("DoodleJournalDown", "firing"), "the alert fires", 120)
            time.sleep(max(0.0, began + AWAY_SECONDS - time.monotonic()))
            load.wait_for_answers(10)
    finally:
        stack.compose("start", "redis")
    expect(status).to_contain_text(THANKS, timeout=60_000)
    page.close()
    return SimpleNamespace(receiver=alerting, load=load, rejected=rejected)


def test_predictions_continue_and_the_page_keeps_feedback_without_redis(stack, redis_outage, wait_until, documented):
    assert redis_outage.load.failures == []
    assert redis_outage.rejected.status_code == 503
    assert redis_outage.rejected.headers["retry-after"] == "5"
    ids = [each for _, each in redis_outage.load.answers]
    wait_until(lambda: set(stack.logged(ids)) == set(ids), "all answers are in the prediction log")
    wait_until(lambda: stack.exported()["doodle_journal_up"] == 1, "the exporter reaches Redis again")
    documented(
        "faults",
        "Redis is down for a minute",
        f"predictions: nothing; feedback gets {redis_outage.rejected.status_code}, and the page sends it later",
        "once it is started; feedback within a minute",
        "nothing",
    )


def test_an_alert_arrives_at_the_webhook(stack, redis_outage):
    (alert,) = redis_outage.receiver.alerts("DoodleJournalDown", "firing")
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["summary"] == "The prediction log is down."
    assert alert["annotations"]["runbook"] == "docs/runbook.md#doodlejournaldown"
    assert alert["generatorURL"].startswith(f"{stack.url('DOODLE_PROMETHEUS_PORT').replace('127.0.0.1', 'localhost')}/graph?")


def test_the_page_predicts_a_5(stack, new_page, draw):
    page = new_page()
    page.goto(stack.page)
    draw(page, 5)
    page.get_by_role("button", name="Predict Digit").click()
    expect(page.locator("#result")).to_have_text("Digit: 5")
    expect(page.locator("#error")).to_be_empty()


def test_both_ports_give_the_same_logged_answer(stack, wait_until):
    answers = [stack.predict(f"{stack.page}/api"), stack.predict(stack.api)]
    ids = [answer.pop("prediction_id") for answer in answers]
    assert answers[0] == answers[1]
    assert answers[0]["digit"] == 1
    wait_until(lambda: stack.logged(ids) == ids, "both are in the prediction log")


def test_serves_the_version_that_the_trainer_published(stack):
    version = httpx.get(f"{stack.api}/model").json()["version"]
    assert f"event=model_published version={version} " in stack.first_log
    assert stack.exported()[f'doodle_store_pointer_info{{pointer="live",version="{version}"}}'] == 1


class TestExporter:
    def test_reports_model_pipeline_and_prediction_log(self, stack):
        samples = stack.exported()
        for collector in ("model", "pipeline", "journal"):
            assert samples[f'doodle_exporter_collector_success{{collector="{collector}"}}'] == 1
        accuracy = httpx.get(f"{stack.api}/model").json()["test"]["accuracy"]
        assert samples['doodle_store_model_accuracy_ratio{pointer="live"}'] == accuracy
        assert samples["doodle_pipeline_test_accuracy_ratio"] == accuracy
        assert samples["doodle_journal_up"] == 1


class TestPrometheus:
    def test_all_targets_are_up(self, stack, wait_until):
        def jobs_up():
            return {target["labels"]["job"] for target in stack.targets() if target["health"] == "up"}

        wait_until(lambda: jobs_up() == {"fastapi-app", "custom_exporter", "prometheus"}, "all three jobs are scraped")
        assert {target["health"] for target in stack.targets()} == {"up"}

    def test_every_rule_is_evaluated_without_an_error(self, stack, wait_until):
        def rules():
            groups = httpx.get(f"{stack.url('DOODLE_PROMETHEUS_PORT')}/api/v1/rules").json()["data"]["groups"]
            return [rule for group in groups for rule in group["rules"]]

        wait_until(lambda: {rule["health"] for rule in rules()} == {"ok"}, "all rules have been evaluated")
        kinds = {rule["type"] for rule in rules()}
        assert kinds == {"recording", "alerting"}

    def test_every_panel_has_data(self, stack, wait_until):
        """Run every board's queries on Prometheus."""
        files = sorted((stack.folder / "monitoring/grafana/dashboards").glob("*.json"))
        assert {file.stem for file in files} == set(EMPTY_AT_FIRST)

        def full(file):
            stack.predict()
            httpx.post(f"{stack.api}/read", json=ELEVEN, timeout=10).raise_for_status()
            panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
            empty = {panel["title"] for panel in panels for target in panel.get("targets", ()) if not stack.query(asked(target))}
            assert empty <= EMPTY_AT_FIRST[file.stem], f"no data in {sorted(empty - EMPTY_AT_FIRST[file.stem])}"
            return True

        def asked(target):
            text = target["expr"]
            for variable, value in GRAFANA_VARIABLES.items():
                text = re.sub(re.escape(variable) + r"\b", value, text)
            return text

        for file in files:
            wait_until(lambda file=file: full(file), f"every panel of {file.name} has data")


def test_the_webhook_receives_the_resolved_alert(redis_outage, wait_until):
    """Runs about a minute after the outage."""
    wait_until(lambda: redis_outage.receiver.alerts("DoodleJournalDown", "resolved"), "the alert is resolved", 120)


class TestGrafana:
    @pytest.fixture(autouse=True)
    def grafana(self, stack):
        if "grafana" in stack.excluded_services:
            pytest.skip("Grafana's image cannot be had here")
        return stack.url("DOODLE_GRAFANA_PORT")

    @pytest.fixture
    def dashboards(self, stack):
        """Return the uids of the provisioned dashboards."""
        names = sorted(file.stem for file in (stack.folder / "monitoring/grafana/dashboards").glob("*.json"))
        assert len(names) == 4
        return names

    def test_everyone_sees_the_dashboards(self, grafana, dashboards, new_page):
        page = new_page()
        for uid in dashboards:
            page.goto(f"{grafana}/d/{uid}")
            expect(page.get_by_text("Doodle").first).to_be_visible()
        page.goto(grafana)
        expect(page.get_by_text("Calls per second").first).to_be_visible()

    def test_every_query_of_the_dashboards_is_answered(self, grafana, dashboards, stack):
        stack.predict()
        for uid in dashboards:
            dashboard = httpx.get(f"{grafana}/api/dashboards/uid/{uid}").raise_for_status().json()["dashboard"]
            queries = [(target, panel) for panel in dashboard["panels"] for target in panel.get("targets", ())]
            assert queries
            for target, panel in queries:
                query = target | {"datasource": panel["datasource"], "intervalMs": 1000, "maxDataPoints": 100}
                answer = httpx.post(f"{grafana}/api/ds/query", json={"from": "now-5m", "to": "now", "queries": [query]})
                assert answer.status_code == 200, f"{uid}, {panel['title']}: {answer.text}"

    def test_nobody_can_change_anything_or_log_in(self, grafana):
        assert httpx.post(f"{grafana}/api/dashboards/db", json={"dashboard": {"title": "x"}}).status_code in (401, 403)
        assert httpx.get(f"{grafana}/api/admin/settings", auth=("admin", "admin")).status_code in (401, 403)
        assert httpx.post(f"{grafana}/login", json={"user": "admin", "password": "admin"}).status_code in (400, 401, 403)
