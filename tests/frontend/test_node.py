"""The page's JavaScript, by Node's own test runner."""

import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_page_s_modules_pass_their_tests(require):
    node = require("node", "nodejs")
    tests = sorted(str(path) for path in FOLDER.glob("*.test.js"))
    assert tests
    result = subprocess.run([node, "--test", *tests], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
