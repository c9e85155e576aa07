"""create_app by itself: what cannot be brought about from outside."""

import asyncio
import dataclasses

import httpx
import pytest
from inference.app import create_app
from inference.settings import Settings

DRAWING = {"strokes": [[[140, 40], [150, 240]]]}


def answers_of(settings: Settings, *requests: dict) -> list[httpx.Response]:
    """Start the app in this process, send the requests one after the other, and end it."""

    async def ask():
        app = create_app(settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://doodle") as client:
            return [await client.request(**request) for request in requests]

    return asyncio.run(ask())


@pytest.fixture
def settings(models_folder, tmp_path):
    return Settings(models=str(models_folder), journal=f"sqlite:///{tmp_path}/journal.sqlite")


@pytest.fixture
def with_a_fault(settings, monkeypatch):
    """The answers to a drawing, and to /metrics after it, of a service with a fault of its own in it."""

    def fail(*_):
        raise RuntimeError("secret words")

    monkeypatch.setattr("inference.reading.picture_from_strokes", fail)
    requests = {"method": "POST", "url": "/predict", "json": DRAWING}, {"method": "GET", "url": "/metrics"}
    return answers_of(settings, *requests)


def test_a_fault_of_ours_is_a_500_in_json(with_a_fault):
    response, _ = with_a_fault
    assert response.status_code == 500
    assert list(response.json()) == ["detail"]


def test_a_fault_of_ours_tells_the_client_nothing_of_our_insides(with_a_fault):
    response, _ = with_a_fault
    assert "secret" not in response.text


def test_a_fault_of_ours_is_counted(with_a_fault):
    _, metrics = with_a_fault
    lines = metrics.text.splitlines()
    assert 'doodle_predict_errors_total{code="500"} 1.0' in lines
    assert "prediction_error_total 1.0" in lines


def test_making_an_app_reads_nothing_from_disk(tmp_path):
    assert create_app(Settings(models=str(tmp_path / "nowhere"))).title == "Doodle"


@pytest.mark.parametrize(("limit", "code"), [("max_json_bytes", 413), ("max_image_bytes", 200)])
def test_each_kind_of_body_has_a_limit_of_its_own(settings, limit, code):
    body = {"content": b'{"strokes": []}', "headers": {"Content-Type": "application/json"}}
    (response,) = answers_of(dataclasses.replace(settings, **{limit: 9}), {"method": "POST", "url": "/predict", **body})
    assert response.status_code == code
