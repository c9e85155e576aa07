import numpy as np
from digitnet.augmentation import shifted


def test_every_picture_is_moved_as_a_whole_by_at_most_the_limit(generator):
    pictures = np.zeros((200, 28, 28), np.uint8)
    pictures[:, 10:14, 12:15] = generator.integers(1, 256, (200, 4, 3))
    moved = shifted(pictures, np.random.default_rng(1), 2)
    seen = set()
    for before, after in zip(pictures, moved):
        moves = [(y, x) for y in range(-2, 3) for x in range(-2, 3) if np.array_equal(np.roll(before, (y, x), (0, 1)), after)]
        assert len(moves) == 1
        seen.add(moves[0])
    assert len(seen) == 25  # each of the 5 x 5 moves comes up


def test_what_leaves_one_side_does_not_come_in_at_the_other():
    pictures = np.zeros((50, 28, 28), np.uint8)
    pictures[:, 0, :] = 255
    assert not shifted(pictures, np.random.default_rng(2), 2)[:, 20:].any()


def test_a_shift_of_nothing_changes_nothing(generator):
    pictures = generator.random((3, 28, 28)).astype(np.float32)
    moved = shifted(pictures, generator, 0)
    np.testing.assert_array_equal(moved, pictures)
    assert moved.dtype == np.float32
    assert not np.shares_memory(moved, pictures)


def test_the_same_generator_state_gives_the_same_shifts(generator):
    pictures = generator.random((20, 28, 28))
    first, second = (shifted(pictures, np.random.default_rng(3), 2) for _ in range(2))
    np.testing.assert_array_equal(first, second)
