"""The exporter reads stores, looks for drift and serves metrics: it names neither the network nor a web framework nor another
service."""

import ast
import sys
from pathlib import Path

import exporter.app
import pytest

FOLDER = Path(exporter.app.__file__).parent
ALLOWED = {"exporter", "deployment", "drift", "numpy", "stores", "prometheus_client"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.py")))
def test_a_module_names_only_stores_and_the_metrics_library(module):
    imported = set()
    for node in ast.walk(ast.parse((FOLDER / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module.partition(".")[0])
    assert imported <= ALLOWED
