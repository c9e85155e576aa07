"""The page's JavaScript, by Node's own test runner, all in one process."""

import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_page_s_modules_pass_their_tests(require):
    node = require("node", "nodejs")
    imports = "\n".join(f'import "./{path.name}";' for path in sorted(FOLDER.glob("*.test.js")))
    assert imports
    command = [node, "--test-reporter=tap", "--input-type=module", "--eval", imports]
    result = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
