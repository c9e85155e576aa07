import numpy as np
import pytest
from digitnet.optimizers import SGD, Adam

TARGET = np.array([3.0, -2.0, 0.5])


def descended(optimizer, learning_rate, steps):
    """Where gradient descent on the bowl sum(scale * (w - TARGET)^2) / 2 gets to from zero."""
    parameters, scale = np.zeros(3), np.array([1.0, 10.0, 0.1])
    for _ in range(steps):
        optimizer.update(parameters, scale * (parameters - TARGET), learning_rate)
    return parameters


def test_sgd_without_momentum_steps_against_the_gradient():
    parameters = np.array([1.0, 2.0])
    SGD(2, np.float64, momentum=0.0).update(parameters, np.array([10.0, -10.0]), 0.1)
    assert parameters.tolist() == [0.0, 3.0]


def test_sgd_momentum_remembers_past_gradients():
    optimizer, parameters = SGD(1, np.float64, momentum=0.5), np.zeros(1)
    for _ in range(3):
        optimizer.update(parameters, np.ones(1), 1.0)
    assert parameters[0] == -(1.0 + 1.5 + 1.75)


def test_adam_takes_the_steps_that_its_paper_defines(generator):
    optimizer, parameters = Adam(3, np.float64, beta1=0.8, beta2=0.95, epsilon=1e-8), np.zeros(3)
    expected, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    for t in range(1, 6):
        grad = generator.normal(size=3)
        optimizer.update(parameters, grad, 0.01)
        m, v = 0.8 * m + 0.2 * grad, 0.95 * v + 0.05 * grad**2
        expected -= 0.01 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
    np.testing.assert_allclose(parameters, expected, rtol=1e-12)


def test_weight_decay_takes_a_part_of_each_weight_beside_adam_s_step(generator):
    weights, grad = generator.normal(size=3), generator.normal(size=3)
    plain, decayed = weights.copy(), weights.copy()
    Adam(3, np.float64).update(plain, grad, 0.01)
    Adam(3, np.float64, weight_decay=0.3).update(decayed, grad, 0.01)
    np.testing.assert_allclose(decayed, plain - 0.01 * 0.3 * weights, rtol=1e-12)


def test_weights_that_no_gradient_holds_decay_to_nothing():
    optimizer, parameters = Adam(2, np.float64, weight_decay=1.0), np.array([5.0, -5.0])
    for _ in range(100):
        optimizer.update(parameters, np.zeros(2), 0.1)
    np.testing.assert_allclose(parameters, [5.0 * 0.9**100, -5.0 * 0.9**100])


@pytest.mark.parametrize("weight_decay", [-0.1, float("inf"), float("nan")])
def test_a_weight_decay_that_is_none_is_refused(weight_decay):
    with pytest.raises(ValueError, match="weight_decay must be 0 or more"):
        Adam(1, weight_decay=weight_decay)


def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient_s_size():
    parameters = np.zeros(3)
    Adam(3, np.float64).update(parameters, np.array([1e-3, 1.0, -1e3]), 0.01)
    np.testing.assert_allclose(parameters, [-0.01, -0.01, 0.01], rtol=1e-4)


@pytest.mark.parametrize(("optimizer", "learning_rate"), [(SGD(3, np.float64), 0.02), (Adam(3, np.float64), 0.05)])
def test_it_finds_the_bottom_of_a_bowl(optimizer, learning_rate):
    np.testing.assert_allclose(descended(optimizer, learning_rate, 2_000), TARGET, atol=1e-3)


@pytest.mark.parametrize("make", [SGD, Adam])
def test_it_updates_the_vector_it_was_given(make):
    parameters = np.zeros(2, np.float32)
    view = parameters[:1]
    make(2).update(parameters, np.ones(2, np.float32), 0.1)
    assert view[0] != 0.0
    assert parameters.dtype == np.float32


@pytest.mark.parametrize("make", [lambda: SGD(1, momentum=1.0), lambda: Adam(1, beta1=-0.1), lambda: Adam(1, beta2=1.5)])
def test_rates_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="at least 0 and less than 1"):
        make()
