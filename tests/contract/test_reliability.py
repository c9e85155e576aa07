"""Each table in docs/ has rows, and each row belongs to an existing test."""

from html import unescape
from pathlib import Path

import pytest
from doc_sync import rows_of

TESTS = Path(__file__).parents[1]
TABLES = ("faults", "load", "attacks", "bad-requests", "bad-files", "swarm")


@pytest.fixture(scope="module")
def sources():
    return [path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")]


@pytest.mark.parametrize("name", TABLES)
def test_every_row_belongs_to_a_test(name, sources):
    rows = [unescape(row) for row in rows_of(name)]
    assert rows
    assert [row for row in rows if not any(f'"{row}"' in source or f"'{row}'" in source for source in sources)] == []
