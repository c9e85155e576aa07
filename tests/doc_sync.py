"""Tables in docs/ that tests write: a row says what was tried and what came of it, and each run of the test holds it to that.

In a document such a table stands after `<!-- table NAME: … -->`. `make reliability` writes what the tests find; everywhere else a
test fails whose row is not there, or says something else.
"""

import os
import re
from pathlib import Path

import pytest

DOCUMENTS = sorted((Path(__file__).parents[1] / "docs").rglob("*.md"))
WRITING = os.environ.get("DOODLE_WRITE_TABLES") == "1"


def find_table(name: str) -> tuple[Path, re.Match]:
    """The document that has the table, and the match in its text, whose first group is all rows."""
    pattern = re.compile(rf"<!-- table {re.escape(name)}: .*? -->\n\n\|.*\|\n\|[-|]+\|\n((?:\|.*\|\n)*)")
    found = [(document, pattern.search(document.read_text(encoding="utf-8"))) for document in DOCUMENTS]
    ((document, match),) = ((document, match) for document, match in found if match)
    return document, match


def rows_of(name: str) -> dict[str, str]:
    """The rows of the table by their first cell."""
    return {row.removeprefix("| ").partition(" | ")[0]: row for row in find_table(name)[1][1].splitlines()}


@pytest.fixture
def documented():
    """documented("faults", "nginx is killed", …): this is what came of it, and the document with that table says so."""

    def documented(name: str, *cells: str) -> None:
        first, *more = (cell.replace("<", "&lt;").replace("|", "&#124;") for cell in cells)
        row, rows = f"| {' | '.join((first, *more))} |", rows_of(name)
        document, match = find_table(name)
        if WRITING:  # in the place of the one that has its name; else as the last one
            written = "".join(f"{each}\n" for each in (rows | {first: row}).values())
            document.write_text(match.string[: match.start(1)] + written + match.string[match.end(1) :], encoding="utf-8")
        else:
            assert rows.get(first) == row, f"{document} says otherwise; `make reliability` writes what is found now"

    return documented
