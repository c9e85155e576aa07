"""Prefetching: every batch comes once and in order, made on another thread, so many ahead and no more."""

import threading

import pytest
from digitnet.prefetching import Prefetcher


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


@pytest.mark.parametrize("keys", [50, 1, 0])
def test_every_batch_comes_once_and_in_order_from_one_other_thread(keys):
    with Prefetcher(lambda key: (key, threading.get_ident()), range(keys), ahead=5) as batches:
        made = list(batches)
        assert next(batches, "the end") == "the end"
    assert [key for key, _ in made] == list(range(keys))
    threads = {thread for _, thread in made}
    assert len(threads) == min(keys, 1)
    assert threading.get_ident() not in threads


@pytest.mark.parametrize("ahead", [1, 3])
def test_makes_so_many_batches_ahead_and_no_more(ahead):
    made, is_ahead = [], threading.Event()

    def make(key):
        made.append(key)
        if key == ahead:
            is_ahead.set()

    with Prefetcher(make, iter(range(100)), ahead) as batches:
        next(batches)
        assert is_ahead.wait(10.0)  # one was taken, and the others wait
        assert [next(batches) for _ in range(5)] == [None] * 5
        assert len(made) <= 6 + ahead
    assert made == list(range(len(made)))


def test_raises_an_exception_where_its_batch_is_asked_for():
    with Prefetcher(lambda key: 1 // (2 - key), range(5)) as batches:
        assert [next(batches), next(batches)] == [0, 1]
        with pytest.raises(ZeroDivisionError):
            next(batches)


def test_closing_ends_the_thread_and_the_batches():
    with Prefetcher(str, range(1000)) as batches:
        next(batches)
        assert prefetch_threads()
    assert not prefetch_threads()
    assert list(batches) == []
    batches.close()  # once more does no harm


def test_rejects_to_be_no_batch_ahead():
    with pytest.raises(ValueError, match="ahead must be at least 1, not 0"):
        Prefetcher(str, [], ahead=0)
