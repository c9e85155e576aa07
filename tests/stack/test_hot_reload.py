"""Replicas reject a damaged live version and serve the one before. The trainer repairs it."""

import re
import time

import httpx
import pytest

# Make a bad version live, as a broken disk or a manual change could.
SPOIL = """
import json, shutil
from pathlib import Path
from digitnet.checkpoint import sealed
from stores.models import open_models
models = open_models("file:///models")
live = models.alias("live")
version = "{version}"
folder = models.folder / "versions" / version
shutil.copytree(models.folder / "versions" / live, folder)
card = json.loads((folder / "model.json").read_text())
card["version"] = version
{damage}
(folder / "model.json").write_text(json.dumps(sealed(card)))
with (models.folder / "history").open("a") as history:
    history.write(live + "\\n")
(models.folder / "live").write_text(version + "\\n")
"""
DAMAGE = {
    "a changed byte of the weights":  # as of a broken disk
    'with (folder / "weights.npz").open("r+b") as file: file.seek(5000); file.write(b"?")',
    "half of the weights": 'weights = folder / "weights.npz"; weights.write_bytes(weights.read_bytes()[:5000])',
    "another shape than its card says": 'card["network"]["layers"][-1] = {"dense": {"units": 10}}',
    "another version than its name says": "pass",
}


FIRST, *OTHERS = DAMAGE
REPAIRED_SECONDS = 30.0  # upper limit; usually six
FAULT = "a new live model is damaged, incomplete or mislabeled"


@pytest.mark.parametrize("damage", [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)])
def test_keeps_the_old_version_until_the_trainer_makes_it_live_again(stack, wait_until, documented, damage):
    live = stack.predict()["model_version"]
    version = f"{abs(hash((damage, time.time()))) % 16**12:012x}"
    program = SPOIL.replace("{version}", version).replace("{damage}", DAMAGE[damage])

    def refused():
        return float(re.search(r'doodle_model_loads_total\{outcome="refused"\} (\S+)', httpx.get(f"{stack.api}/metrics").text)[1])

    before = refused()
    with stack.load() as load:
        stack.compose("exec", "-T", "trainer", "python", "-c", program)
        try:
            wait_until(lambda: refused() == before + 1, "it is refused")
            assert f"event=model_refused alias=live kept={live} reason=" in stack.log("inference")
            assert stack.predict()["model_version"] == live
            load.wait_for_answers(20)
            assert refused() == before + 1, "counted more than once"
            pointer = f'doodle_store_pointer_info{{pointer="live",version="{live}"}}'
            wait_until(lambda: stack.exported().get(pointer) == 1, "the trainer has repaired it", REPAIRED_SECONDS)
        finally:
            stack.compose("exec", "-T", "trainer", "rm", "-r", f"/models/versions/{version}")
    assert load.failures == []
    assert stack.predict()["model_version"] == live
    documented("faults", FAULT, "nothing: replicas keep the old model", f"within {REPAIRED_SECONDS:.0f} s", "nothing")


def test_a_restart_with_a_damaged_live_version_serves_the_one_before(stack, docker, wait_until, documented):
    live = stack.predict()["model_version"]
    version = f"{int(time.time()):012x}"
    trainer = stack.container("trainer")["Id"]
    program = SPOIL.replace("{version}", version).replace("{damage}", DAMAGE[FIRST])
    stack.compose("exec", "-T", "trainer", "python", "-c", program)
    docker("pause", trainer)  # before it repairs
    try:
        stack.compose("restart", "inference")
        assert wait_until(lambda: stack.predict()["model_version"], "it serves again") == live
    finally:
        docker("unpause", trainer)
    pointer = f'doodle_store_pointer_info{{pointer="live",version="{live}"}}'
    wait_until(lambda: stack.exported().get(pointer) == 1, "the trainer has repaired it", REPAIRED_SECONDS)
    stack.compose("exec", "-T", "trainer", "rm", "-r", f"/models/versions/{version}")
    documented("faults", FAULT, "nothing: replicas keep the old model", f"within {REPAIRED_SECONDS:.0f} s", "nothing")
