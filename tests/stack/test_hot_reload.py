"""Replicas reject a damaged live version and keep the one before."""

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
FAULT = "a new live model is damaged, incomplete or mislabeled"


@pytest.mark.parametrize("damage", [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)])
def test_rejects_a_damaged_version_and_keeps_the_old_one(stack, wait_until, documented, damage):
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
        finally:
            stack.compose("exec", "-T", "trainer", "python", "-m", "trainer", "models", "promote", live)
            stack.compose("exec", "-T", "trainer", "rm", "-r", f"/models/versions/{version}")
    assert load.failures == []
    assert stack.predict()["model_version"] == live
    documented("faults", FAULT, "nothing: replicas reject it and keep the old model", "with the next valid model", "nothing")
