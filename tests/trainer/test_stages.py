"""Signals during training are noted, and end the program afterwards."""

import os
import signal

import pytest
from deployment.process import end_when_told_to
from trainer.stages import STOP_SIGNALS, signals_noted


@pytest.fixture(autouse=True)
def restore_handlers():
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOP_SIGNALS, ids=lambda number: number.name)
def test_a_signal_is_only_noted_in_the_block(number):
    noted = []

    def work():
        with signals_noted() as asked:
            noted.append(asked())
            os.kill(os.getpid(), number)
            noted.append(asked())

    end_when_told_to(7)
    with pytest.raises(SystemExit, match="7"):
        work()
    assert noted == [False, True]
    with signals_noted():
        pass
    with pytest.raises(SystemExit, match="7"):
        os.kill(os.getpid(), number)


def test_an_error_in_the_block_is_raised():
    def work():
        with signals_noted():
            os.kill(os.getpid(), signal.SIGTERM)
            raise KeyError

    with pytest.raises(KeyError):
        work()
