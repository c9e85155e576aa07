"""Optimizers take the steps defined in their papers."""

import numpy as np
import pytest
from digitnet.optimizers import SGD, Adam


@pytest.mark.parametrize("options", [{"momentum": 0.0}, {"momentum": 0.5}, {}], ids=str)
def test_sgd_accumulates_velocity(options, generator):
    optimizer, parameters = SGD(3, np.float64, **options), np.ones(3)
    expected, velocity, momentum = np.ones(3), np.zeros(3), options.get("momentum", 0.9)
    for rate in (0.1, 0.1, 0.02):
        grad = generator.normal(size=3)
        optimizer.update(parameters, grad, rate)
        velocity = momentum * velocity + grad
        expected -= rate * velocity
    np.testing.assert_allclose(parameters, expected, rtol=1e-12)


@pytest.mark.parametrize("options", [{"beta1": 0.3, "beta2": 0.95, "epsilon": 1e-3}, {"weight_decay": 0.3}, {}], ids=str)
def test_adam_matches_its_paper(options, generator):
    b1, b2, epsilon, decay = ({"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0} | options).values()
    optimizer, parameters = Adam(3, np.float64, **options), np.ones(3)
    expected, m, v = np.ones(3), np.zeros(3), np.zeros(3)
    for t in range(1, 6):
        grad = generator.normal(size=3)
        optimizer.update(parameters, grad, 0.01)
        m, v = b1 * m + (1 - b1) * grad, b2 * v + (1 - b2) * grad**2
        expected -= 0.01 * ((m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon) + decay * expected)
    np.testing.assert_allclose(parameters, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "options", "complaint"),
    [
        (SGD, {"momentum": 1.0}, "momentum must be at least 0 and less than 1, not 1.0"),
        (Adam, {"beta1": -0.1}, "beta1 must be at least 0 and less than 1"),
        (Adam, {"beta2": 1.0}, "beta2 must be at least 0 and less than 1"),
        *((Adam, {"weight_decay": wrong}, "weight_decay must be 0 or more") for wrong in (-0.1, float("inf"), float("nan"))),
    ],
)
def test_rejects_rates_out_of_range(make, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        make(1, **options)
