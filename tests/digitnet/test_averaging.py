import numpy as np
import pytest
from digitnet.averaging import WeightAverage


def test_it_is_the_plain_mean_of_the_first_steps(generator):
    shown, average = generator.normal(size=(5, 3)), WeightAverage(3, 5, np.float64)
    for count, parameters in enumerate(shown, start=1):
        average.update(parameters)
        np.testing.assert_allclose(average.average, shown[:count].mean(axis=0), rtol=1e-12)


def test_from_then_on_each_older_step_counts_for_less():
    average = WeightAverage(1, 4, np.float64)
    for _ in range(4):
        average.update(np.zeros(1))
    average.update(np.ones(1))
    for age in range(6):
        assert average.average[0] == pytest.approx(0.25 * 0.75**age)
        average.update(np.zeros(1))


def test_over_one_step_it_is_that_step(generator):
    average = WeightAverage(3, 1)
    for parameters in generator.normal(size=(4, 3)).astype(np.float32):
        average.update(parameters)
        np.testing.assert_array_equal(average.average, parameters)


def test_it_gets_closer_to_the_bottom_than_steps_that_jump_about_it(generator):
    parameters, average = np.array([1.0]), WeightAverage(1, 200, np.float64)
    last = []
    for _ in range(2_000):
        parameters -= 0.5 * (parameters + generator.normal(size=1))  # noisy gradients of a bowl around 0
        average.update(parameters)
        last.append(abs(parameters[0]))
    assert abs(average.average[0]) < np.mean(last[-200:]) / 3


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="at least 1 step, not 0"):
        WeightAverage(3, 0)
