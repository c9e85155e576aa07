"""What people read to learn, or may use alone, names no more packages than it says."""

import ast
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
ALLOWED = {
    "packages/digitnet": {"digitnet", "numpy"},
    "packages/drift": {"drift", "numpy"},
    "services/exporter": {"exporter", "deployment", "drift", "numpy", "stores", "prometheus_client", "pydantic"},
}


@pytest.mark.parametrize("folder", ALLOWED)
def test_names_only_these_packages_and_the_standard_library(folder):
    for path in (PROJECT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, "imports are absolute, so that this test sees what they name"
                named = {node.module.partition(".")[0]}
            else:
                continue
            assert named <= ALLOWED[folder] | sys.stdlib_module_names, path
