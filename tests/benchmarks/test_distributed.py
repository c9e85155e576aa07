"""distributed.py: its model of a network, and that docs/scale.md says what it last found."""

import json

import pytest


@pytest.fixture
def distributed(load_benchmark):
    return load_benchmark("distributed")


@pytest.mark.parametrize(("ranks", "rounds"), [(2, 1), (4, 2), (8, 3), (64, 6)])
def test_a_short_sum_costs_a_latency_a_round_and_a_long_one_at_most_twice_its_bytes(distributed, ranks, rounds):
    link = distributed.Link(25e-6, 8e-9)
    assert link.allreduce(1000, 1, 1.0) == 0.0  # nobody to send to
    assert link.allreduce(4, ranks, 0.0) == pytest.approx(rounds * 25e-6, rel=0.01)
    long = link.allreduce(1e8, ranks, 1e-10)
    assert long == pytest.approx((ranks - 1) / ranks * 1e8 * (2 * 8e-9 + 1e-10), rel=0.01)


def test_a_link_is_found_again_from_the_times_that_it_takes(distributed):
    link, sizes = distributed.Link(30e-6, 2e-9), [4**power for power in range(1, 13)]
    messages = {"bytes": sizes, "seconds": [link.allreduce(size, 2, 3e-10) for size in sizes]}
    found = distributed.fitted(messages, 3e-10)
    assert (found.latency, found.per_byte) == (pytest.approx(30e-6, rel=0.05), pytest.approx(2e-9, rel=0.05))


def test_the_document_says_what_was_recorded(distributed):
    recorded = json.loads(distributed.RESULT.read_text())
    assert set(recorded["measured"]) == set(distributed.MEASUREMENTS)
    text = distributed.DOCUMENT.read_text()
    assert distributed.written(text, recorded) == text
