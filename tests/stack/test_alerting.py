"""Alertmanager, for those who ask for it. What it tells them: test_use.py, where nobody kills it meanwhile."""

import subprocess

import httpx
import pytest


def starting_alertmanager(stack, webhook):
    """Exit code and words of an Alertmanager that is to tell that address."""
    command = ["docker", "compose", "run", "--rm", "--no-deps", "-e", f"DOODLE_ALERT_WEBHOOK={webhook}", "alertmanager"]
    done = subprocess.run(
        command, cwd=stack.folder, env=stack.environment, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("webhook", ["", "somebody@example.org"])
def test_without_an_address_it_says_what_is_missing(stack, webhook):
    code, words = starting_alertmanager(stack, webhook)
    assert code == 1
    assert "no webhook: set DOODLE_ALERT_WEBHOOK to an address that begins with http:// or https://" in words


def test_nobody_gets_it_without_asking(stack):
    assert "alertmanager" not in stack.compose("--profile", "", "config", "--services").split()


def test_who_is_told_is_not_shown(stack, alerting):
    """There may be a secret in the address."""
    status = httpx.get(f"{stack.url('DOODLE_ALERTMANAGER_PORT')}/api/v2/status").raise_for_status().json()
    assert status["cluster"]["status"] == "disabled"
    assert "url_file: /tmp/webhook" in status["config"]["original"]
    assert alerting.url not in str(status) + stack.log("alertmanager")
