"""Prefetching: every batch comes once and in order, made on another thread, so many ahead and no more."""

import threading

import pytest
from digitnet.prefetching import AHEAD, prefetched


@pytest.mark.parametrize("keys", [50, 1, 0])
def test_every_batch_comes_once_and_in_order_from_one_other_thread(keys):
    made = list(prefetched(lambda key: (key, threading.get_ident()), range(keys)))
    assert [key for key, _ in made] == list(range(keys))
    threads = {thread for _, thread in made}
    assert len(threads) == min(keys, 1)
    assert threading.get_ident() not in threads


def test_makes_so_many_batches_ahead_and_no_more():
    made, is_ahead = [], threading.Event()

    def make(key):
        made.append(key)
        if key == AHEAD:
            is_ahead.set()

    batches = prefetched(make, iter(range(100)))
    next(batches)
    assert is_ahead.wait(10.0)  # one was taken, and the others wait
    assert [next(batches) for _ in range(5)] == [None] * 5
    batches.close()
    assert made == list(range(len(made)))
    assert len(made) <= 6 + AHEAD


def test_raises_an_exception_where_its_batch_is_asked_for():
    batches = prefetched(lambda key: 1 // (2 - key), range(5))
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(ZeroDivisionError):
        next(batches)


def test_closing_ends_the_thread():
    def prefetch_threads():
        return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]

    batches = prefetched(str, range(1000))
    next(batches)
    assert prefetch_threads()
    batches.close()
    assert not prefetch_threads()
