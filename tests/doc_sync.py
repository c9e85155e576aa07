"""Tables in docs/ that tests write: a row says what was tried and what came of it, and each run of the test holds it to that.

In a document such a table stands after `<!-- table NAME: … -->`. `make reliability` writes what the tests find; everywhere else a
test fails whose row is not there, or says something else.
"""

import os
import re
from pathlib import Path

import pytest

DOCUMENTS = sorted((Path(__file__).parents[1] / "docs").glob("*.md"))
WRITING = os.environ.get("DOODLE_WRITE_TABLES") == "1"


class DocumentTable:
    """A table of the document. Rows are known by their first cell."""

    def __init__(self, document: Path, name: str):
        self._document = document
        # What stands before the rows, and the rows.
        self._pattern = re.compile(rf"(<!-- table {re.escape(name)}: .*? -->\n\n\|.*\|\n\|[-|]+\|\n)((?:\|.*\|\n)*)")
        found = self._pattern.search(document.read_text(encoding="utf-8"))
        assert found, f"{document} has no table {name}"
        self.rows = found[2].splitlines()

    @property
    def names(self) -> list[str]:
        return [_name(row) for row in self.rows]

    def write(self, row: str) -> None:
        """In the place of the one that has its name; else as the last one."""
        if _name(row) in self.names:
            self.rows[self.names.index(_name(row))] = row
        else:
            self.rows.append(row)
        rows = "".join(f"{each}\n" for each in self.rows)
        text = self._document.read_text(encoding="utf-8")
        self._document.write_text(self._pattern.sub(lambda found: found[1] + rows, text), encoding="utf-8")


def row_of(cells: tuple[str, ...]) -> str:
    """As Markdown has it."""
    return f"| {' | '.join(each.replace('<', '&lt;').replace('|', '&#124;') for each in cells)} |"


def _name(row):
    return row.removeprefix("| ").partition(" | ")[0]


def document_of(name: str) -> Path:
    """The one that has the table."""
    (found,) = (each for each in DOCUMENTS if f"<!-- table {name}: " in each.read_text(encoding="utf-8"))
    return found


@pytest.fixture
def documented():
    """documented("faults", "nginx is killed", …): this is what came of it, and the document with that table says so."""

    def documented(name: str, *cells: str) -> None:
        document, row = document_of(name), row_of(cells)
        table = DocumentTable(document, name)
        if WRITING:
            table.write(row)
        else:
            assert row in table.rows, f"{document} says otherwise; `make reliability` writes what is found now"

    return documented
