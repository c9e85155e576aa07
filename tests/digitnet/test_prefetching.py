import threading

import pytest
from digitnet.prefetching import Prefetcher


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_every_batch_comes_once_and_in_order():
    with Prefetcher(lambda key: key * key, range(50)) as batches:
        assert list(batches) == [key * key for key in range(50)]
        assert next(batches, "the end") == "the end"


def test_fewer_keys_than_it_may_be_ahead_and_none_at_all():
    with Prefetcher(str, [7], ahead=5) as batches:
        assert list(batches) == ["7"]
    with Prefetcher(str, []) as batches:
        assert list(batches) == []


def test_batches_are_made_on_one_other_thread():
    with Prefetcher(lambda _: threading.get_ident(), range(10)) as batches:
        threads = set(batches)
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_it_is_so_many_batches_ahead_and_no_more():
    made, third = [], threading.Event()

    def make(key):
        made.append(key)
        if key == 3:
            third.set()

    with Prefetcher(make, iter(range(100)), ahead=3) as batches:
        next(batches)
        assert third.wait(10.0)  # made 0 to 3: one was taken and three wait
        assert [next(batches) for _ in range(5)] == [None] * 5
        assert len(made) <= 9
    assert made == list(range(len(made)))


def test_the_next_batch_is_made_while_the_present_one_is_used():
    made = threading.Event()
    with Prefetcher(lambda key: made.set() if key == 1 else None, range(2), ahead=1) as batches:
        next(batches)
        assert made.wait(10.0)


def test_an_exception_comes_up_where_its_batch_was_asked_for_and_not_before():
    def make(key):
        if key == 2:
            raise OverflowError("batch 2")
        return key

    with Prefetcher(make, range(5)) as batches:
        assert [next(batches), next(batches)] == [0, 1]
        with pytest.raises(OverflowError, match="batch 2"):
            next(batches)


def test_closing_ends_the_thread_and_the_batches():
    with Prefetcher(str, range(1000)) as batches:
        next(batches)
        assert prefetch_threads()
    assert not prefetch_threads()
    assert list(batches) == []
    batches.close()  # once more does no harm


def test_an_exception_in_the_consumer_closes_it():
    def consume():
        with Prefetcher(str, range(1000)) as batches:
            raise KeyboardInterrupt(next(batches))

    with pytest.raises(KeyboardInterrupt, match="0"):
        consume()
    assert not prefetch_threads()


def test_to_be_no_batch_ahead_is_refused():
    with pytest.raises(ValueError, match="ahead must be at least 1, not 0"):
        Prefetcher(str, [], ahead=0)
