"""Packages that can be used alone import only the packages that they declare."""

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
def test_imports_only_allowed_packages(folder):
    for path in (PROJECT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                named = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, "imports are absolute, so that this test sees their packages"
                named = {node.module.partition(".")[0]}
            else:
                continue
            assert named <= ALLOWED[folder] | sys.stdlib_module_names, path
