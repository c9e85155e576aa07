"""A checkout has the same bytes on every system: dvc.lock has their hashes, and containers run them."""

import subprocess

from processes import PROJECT


def test_git_for_windows_converts_no_line_ending(tmp_path, require):
    git = require("git")
    options = ["-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    subprocess.run([git, "clone", "--quiet", "--depth", "1", *options, f"file://{PROJECT}", tmp_path / "doodle"], check=True)
    listed = subprocess.run([git, "ls-files", "--eol"], cwd=tmp_path / "doodle", check=True, capture_output=True, text=True)
    assert "w/lf" in listed.stdout
    assert [line for line in listed.stdout.splitlines() if "w/crlf" in line or "w/mixed" in line] == []
