"""Records are grouped into blocks, each record once."""

from drift.blocks import Blocks


def test_puts_each_record_into_one_block():
    blocks, seen = Blocks(5), []
    for end in (2, 2, 4, 9, 13, 13, 21, 30):
        newest = range(max(0, end - 10), end)
        seen += blocks.add([f"id-{number}" for number in newest], list(newest))
    assert seen == [list(range(start, start + 5)) for start in range(0, 30, 5)]
    assert blocks.waiting == 0


def test_records_wait_until_their_block_is_full():
    blocks = Blocks(2)
    assert (blocks.add("a", [1]), blocks.waiting) == ([], 1)
    assert (blocks.add("", []), blocks.add("a", [1]), blocks.waiting) == ([], [], 1)  # nothing new changes nothing
    assert (blocks.add("abcde", [1, 2, 3, 4, 5]), blocks.waiting) == ([[1, 2], [3, 4]], 1)


def test_all_records_are_new_after_the_last_known_one_is_gone():
    blocks = Blocks(4)
    blocks.add("ab", [1, 2])
    assert blocks.add("xyz", [7, 8, 9]) == [[1, 2, 7, 8]]
