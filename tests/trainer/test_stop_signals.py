"""Being told to stop: at once as a rule, when it suits where it was asked for, and never forgotten."""

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
def test_a_signal_ends_the_program_with_the_code_given(number):
    StopSignals(exit_code=7)
    with pytest.raises(SystemExit) as ended:
        os.kill(os.getpid(), number)
    assert ended.value.code == 7


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_in_a_patient_block_it_is_only_noted_and_remembered_at_the_end(number):
    noted = []

    def work(signals):
        with signals.patiently() as asked:
            noted.append(asked())
            os.kill(os.getpid(), number)
            noted.append(asked())

    signals = StopSignals(exit_code=7)
    with pytest.raises(SystemExit) as ended:
        work(signals)
    assert noted == [False, True]
    assert ended.value.code == 7


def test_what_the_block_raises_goes_on():
    def work(signals):
        with signals.patiently():
            os.kill(os.getpid(), signal.SIGTERM)
            raise KeyError

    signals = StopSignals(exit_code=7)
    with pytest.raises(KeyError):
        work(signals)


def test_after_a_block_without_a_signal_the_next_one_ends_the_program():
    signals = StopSignals(exit_code=7)
    with signals.patiently():
        pass
    with pytest.raises(SystemExit):
        os.kill(os.getpid(), signal.SIGTERM)
