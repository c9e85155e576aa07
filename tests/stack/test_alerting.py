"""Alertmanager is optional and hides its webhook. test_use.py has its messages."""

import httpx


def test_is_off_by_default(stack):
    assert "alertmanager" not in stack.compose("--profile", "", "config", "--services").split()


def test_hides_the_webhook(stack, alerting):
    """The address may contain a secret."""
    status = httpx.get(f"{stack.url('DOODLE_ALERTMANAGER_PORT')}/api/v2/status").raise_for_status().json()
    assert status["cluster"]["status"] == "disabled"
    assert "url_file: /tmp/webhook" in status["config"]["original"]
    assert alerting.url not in str(status) + stack.log("alertmanager")
