import pytest
from digitnet.schedules import SCHEDULES, constant, cosine, one_cycle

STEPS, PEAK = 1_000, 0.004


def test_one_cycle_rises_to_its_peak_and_falls_to_near_zero():
    rates = [one_cycle(step, STEPS, PEAK) for step in range(STEPS)]
    assert rates[0] == pytest.approx(PEAK / 25)
    assert rates.index(max(rates)) == 150
    assert max(rates) == pytest.approx(PEAK)
    assert rates[:151] == sorted(rates[:151])
    assert rates[150:] == sorted(rates[150:], reverse=True)
    assert rates[-1] < PEAK / 1_000


def test_cosine_falls_from_its_peak():
    rates = [cosine(step, STEPS, PEAK) for step in range(STEPS)]
    assert rates[0] == PEAK
    assert rates[STEPS // 2] == pytest.approx(PEAK / 2, rel=1e-3)
    assert rates == sorted(rates, reverse=True)


def test_constant_does_not_change():
    assert {constant(step, STEPS, PEAK) for step in range(STEPS)} == {PEAK}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_run_of_one_step_has_a_rate(schedule):
    assert 0.0 < schedule(0, 1, PEAK) <= PEAK
