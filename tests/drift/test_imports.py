"""drift knows of no network, no store and no metric: whoever has pictures and answers can use it."""

import ast
import sys
from pathlib import Path

import drift
import pytest

ALLOWED = {"drift", "numpy"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(Path(drift.__file__).parent.glob("*.py")), ids=lambda path: path.stem)
def test_a_module_names_only_numpy_and_the_standard_library(module):
    imported = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test sees what they name"
            imported.add(node.module.partition(".")[0])
    assert imported <= ALLOWED
