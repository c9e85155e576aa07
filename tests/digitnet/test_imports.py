"""digitnet is what people read to learn: NumPy and the standard library, nothing else."""

import ast
import subprocess
import sys
from pathlib import Path

import digitnet
import pytest

FOLDER = Path(digitnet.__file__).parent
ALLOWED = {"digitnet", "numpy"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", sorted(path.name for path in FOLDER.glob("*.py")))
def test_a_module_names_only_numpy_and_the_standard_library(module):
    imported = set()
    for node in ast.walk(ast.parse((FOLDER / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that this test sees what they name"
            imported.add(node.module.partition(".")[0])
    assert imported <= ALLOWED


def test_it_runs_where_nothing_but_numpy_can_be_imported():
    program = """
import sys
before = set(sys.modules)
import digitnet.augmentation, digitnet.checkpoint, digitnet.drawing, digitnet.optimizers, digitnet.parallel
import digitnet.prefetching, digitnet.schedules, digitnet.warping
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
"""
    # -I -S: no site-packages hooks; the two folders are put on the path by hand
    path = [str(FOLDER.parent), str(Path(sys.modules["numpy"].__file__).parents[1])]
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {path!r}\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(result.stdout.split())
    assert {"digitnet", "numpy"} <= loaded
    # Numpy's own compiled parts register names such as _cython_3_2_4: they came with it, no package of theirs is installed.
    assert {name for name in loaded - ALLOWED if not name.startswith(("_", "cython_runtime"))} == set()
