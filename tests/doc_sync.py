"""Tables in docs/ that tests write. A row names an experiment and its result; each run compares them.

The table follows `<!-- table NAME: … -->`. `make reliability` writes the rows; other runs fail if a row is missing or differs.
"""

import os
import re
from pathlib import Path

import pytest

DOCUMENTS = sorted((Path(__file__).parents[1] / "docs").rglob("*.md"))
WRITING = os.environ.get("DOODLE_WRITE_TABLES") == "1"


def find_table(name: str) -> tuple[Path, re.Match]:
    """Return the document with the table, and the match in its text; group 1 has all rows."""
    pattern = re.compile(rf"<!-- table {re.escape(name)}: .*? -->\n\n\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)*)")
    found = [(document, pattern.search(document.read_text(encoding="utf-8"))) for document in DOCUMENTS]
    ((document, match),) = ((document, match) for document, match in found if match)
    return document, match


def rows_of(name: str) -> dict[str, str]:
    """Return the table's rows by their first cell."""
    return {row.removeprefix("| ").partition(" | ")[0]: row for row in find_table(name)[1][1].splitlines()}


@pytest.fixture
def documented():
    """documented("faults", "nginx is killed", …): assert that the table has this row, or write it."""

    def documented(name: str, *cells: str) -> None:
        first, *more = (cell.replace("<", "&lt;").replace("|", "&#124;") for cell in cells)
        row, rows = f"| {' | '.join((first, *more))} |", rows_of(name)
        document, match = find_table(name)
        if WRITING:  # replace the row of this name, or append it
            written = "".join(f"{each}\n" for each in (rows | {first: row}).values())
            document.write_text(match.string[: match.start(1)] + written + match.string[match.end(1) :], encoding="utf-8")
        else:
            assert rows.get(first) == row, f"{document} has another row; `make reliability` writes the current one"

    return documented
