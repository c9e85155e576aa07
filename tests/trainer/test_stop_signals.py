"""Signals to stop: they end the program at once, or after a block that asks for it."""

import os
import signal

import pytest
from trainer.stop_signals import StopSignals

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers_of_before():
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_ends_the_program_but_is_only_noted_in_a_patient_block(number):
    noted = []

    def work(signals):
        with signals.patiently() as asked:
            noted.append(asked())
            os.kill(os.getpid(), number)
            noted.append(asked())

    with pytest.raises(SystemExit, match="7"):
        work(StopSignals(exit_code=7))
    assert noted == [False, True]
    with StopSignals(exit_code=8).patiently():
        pass
    with pytest.raises(SystemExit, match="8"):
        os.kill(os.getpid(), number)


def test_an_error_in_the_block_goes_on():
    def work(signals):
        with signals.patiently():
            os.kill(os.getpid(), signal.SIGTERM)
            raise KeyError

    with pytest.raises(KeyError):
        work(StopSignals(exit_code=7))
