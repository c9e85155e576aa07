"""Prefetching makes every batch once and in order, on another thread, a fixed number ahead."""

import threading

import pytest
from digitnet.prefetching import AHEAD, prefetched


@pytest.mark.parametrize("keys", [50, 1, 0])
def test_makes_every_batch_once_and_in_order_on_one_thread(keys):
    made = list(prefetched(lambda key: (key, threading.get_ident()), range(keys)))
    assert [key for key, _ in made] == list(range(keys))
    threads = {thread for _, thread in made}
    assert len(threads) == min(keys, 1)
    assert threading.get_ident() not in threads


def test_makes_a_fixed_number_of_batches_ahead():
    made, is_ahead = [], threading.Event()

    def make(key):
        made.append(key)
        if key == AHEAD:
            is_ahead.set()

    batches = prefetched(make, iter(range(100)))
    next(batches)
    assert is_ahead.wait(10.0)  # one is taken, the others wait
    assert [next(batches) for _ in range(5)] == [None] * 5
    batches.close()
    assert made == list(range(len(made)))
    assert len(made) <= 6 + AHEAD


def test_raises_a_batch_s_exception_when_it_is_taken():
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
