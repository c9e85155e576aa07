"""Each record in one block, once, however often one looks."""

import pytest
from drift.blocks import Blocks


def test_each_record_is_in_one_block_however_often_one_looks():
    blocks, seen = Blocks(5), []
    for end in (2, 2, 4, 9, 13, 13, 21, 30):
        newest = range(max(0, end - 10), end)
        seen += blocks.add([f"id-{number}" for number in newest], list(newest))
    assert seen == [list(range(start, start + 5)) for start in range(0, 30, 5)]
    assert blocks.waiting == 0


def test_what_has_come_waits_until_the_block_is_full():
    blocks = Blocks(3)
    assert blocks.add("ab", [1, 2]) == []
    assert blocks.waiting == 2
    assert blocks.add("abc", [1, 2, 3]) == [[1, 2, 3]]
    assert blocks.waiting == 0


def test_many_at_once_make_several_blocks():
    assert Blocks(2).add("abcde", [1, 2, 3, 4, 5]) == [[1, 2], [3, 4]]


def test_where_the_last_known_has_been_pushed_out_all_is_new():
    blocks = Blocks(4)
    blocks.add("ab", [1, 2])
    assert blocks.add("xyz", [7, 8, 9]) == [[1, 2, 7, 8]]


def test_nothing_new_changes_nothing():
    blocks = Blocks(2)
    blocks.add("a", [1])
    assert blocks.add("", []) == []
    assert blocks.add("a", [1]) == []
    assert blocks.add("ab", [1, 2]) == [[1, 2]]


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Blocks(0)
    with pytest.raises(ValueError, match="an id for each"):
        Blocks(2).add("ab", [1])
