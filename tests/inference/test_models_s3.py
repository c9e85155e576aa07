"""The service with its models in an object store: it follows what is promoted there, and goes on while the store is away.

test_predictor.py has a store that is away, tests/stores all that such a store does.
"""

import pytest
from stores.models import CANDIDATE, open_models

STROKES = {"strokes": [[[140, 40], [150, 240]]]}


@pytest.fixture
def release(save_model, tmp_path):
    """release(store, seed): publish a model and make it live. Returns its version."""

    def release(store, seed):
        save_model(tmp_path / "model", seed, snapshots=True)
        version = store.publish(tmp_path / "model")["version"]
        store.promote(version)
        return version

    return release


@pytest.mark.slow
def test_follows_the_store_and_goes_on_while_it_is_away(
    run_service, own_s3_server, release, eventually, wait_for, monkeypatch, tmp_path
):
    for name, value in own_s3_server.environment.items():
        monkeypatch.setenv(name, value)
    url = f"s3://doodle/models?cache={tmp_path}/cache"

    def start_store():
        own_s3_server.start()
        wait_for(f"{own_s3_server.url}/moto-api/", process=own_s3_server.process)

    own_s3_server.stop()
    with run_service(url) as running:
        assert running.get("/readyz").status_code == 503
        start_store()
        own_s3_server.client().create_bucket(Bucket="doodle")
        first = release(open_models(url), 1)
        eventually(lambda: running.get("/readyz").status_code == 200, "it is ready")
        own_s3_server.stop()
        eventually(lambda: f"event=models_unreachable pointer=live kept={first}" in running.log(), "it has noticed")
        assert running.post_json(STROKES).json()["model_version"] == first
        assert running.get("/readyz").status_code == 200
        start_store()
        eventually(lambda: "there is no such bucket" in running.log(), "it has been told that the bucket is gone, too")
        assert running.post_json(STROKES).json()["model_version"] == first
        own_s3_server.client().create_bucket(Bucket="doodle")
        second = release(open_models(url), 2)
        eventually(lambda: running.get("/model").json()["version"] == second, "the second is in service")
        open_models(url).point(CANDIDATE, second)
        eventually(lambda: running.get("/candidate/model").status_code == 200, "there is a candidate")
        assert running.get("/snapshots").status_code == 200
        assert running.sample("doodle_model_loads_total", "refused") == 0
        assert "Traceback" not in running.log()
