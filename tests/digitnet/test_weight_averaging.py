"""Weight averaging is a plain mean at first, then an exponential one."""

import numpy as np
import pytest
from digitnet.weight_averaging import WeightAverage


def test_starts_as_a_plain_mean(generator):
    shown, average, newest = generator.normal(size=(5, 3)), WeightAverage(3, 5, np.float64), WeightAverage(3, 1, np.float64)
    for count, parameters in enumerate(shown, start=1):
        average.update(parameters)
        np.testing.assert_allclose(average.average, shown[:count].mean(axis=0), rtol=1e-12)
        newest.update(parameters)
        np.testing.assert_array_equal(newest.average, parameters)


def test_older_steps_count_less_later():
    average = WeightAverage(1, 4, np.float64)
    for _ in range(4):
        average.update(np.zeros(1))
    average.update(np.ones(1))
    for age in range(6):
        assert average.average[0] == pytest.approx(0.25 * 0.75**age)
        average.update(np.zeros(1))
