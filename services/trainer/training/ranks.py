"""Training on several processes, of one machine or of many: `mpirun -n 4 python -m trainer train --distributed`.

All ranks do the same at the same time (MPI's word for a process is rank): each computes the gradient of its part of a batch, the
sum is taken on all of them, and each takes the same step. Whatever is written, and the unfinished run that is read, is the first
rank's. What only one of them learns, such as a signal to stop, must be known to all before any acts on it, or the others would
wait for it for ever.
"""

import hashlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import digitnet
import numpy as np
from digitnet.parallel import SingleProcess

log = logging.getLogger(__name__)

HEARD_SECONDS = 0.5  # mpirun passes on what a rank says, but not what it has not read by the time it hears of the end
Made = TypeVar("Made")


class OnAllRanksError(Exception):
    """What all ranks raise, at the same time and for the same reason: none is left waiting."""


class RefusedError(OnAllRanksError, ValueError):
    """The ranks cannot train together; the message says which of them are at fault."""


class OneRank(SingleProcess):
    """A training on one process, without MPI."""

    def assert_same_on_all_ranks(self, what: str, make: Callable[[], Made], identity: Callable[[Made], str]) -> Made:
        return make()

    def on_rank_zero(self, work: Callable[[], Made]) -> Made:
        return work()


ONE_RANK = OneRank()


class Ranks:
    """What OneRank is to one process, over a communicator of MPI.

    `stop_requested` says whether this process was asked to stop. Each sum tells the others, and what its own method of that name
    says is, until the next sum, the same on all ranks.
    """

    def __init__(self, communicator, in_place, host: str, stop_requested: Callable[[], bool]):
        self._communicator, self._in_place = communicator, in_place
        self._stop_requested, self._somebody_was_asked = stop_requested, False
        self._message = np.empty(0)
        self.rank, self.size = communicator.rank, communicator.size
        self.name = f"rank {self.rank} on {host}"

    def sum_(self, array: np.ndarray, *numbers: float) -> tuple[float, ...]:
        """As digitnet.parallel.Group.sum_: in one message."""
        beside = (*numbers, self._stop_requested())
        if self._message.size != array.size + len(beside) or self._message.dtype != array.dtype:
            self._message = np.empty(array.size + len(beside), array.dtype)
        self._message[: array.size] = array.ravel()
        self._message[array.size :] = beside
        self._communicator.Allreduce(self._in_place, self._message)
        array[...] = self._message[: array.size].reshape(array.shape)
        *sums, asked = self._message[array.size :].tolist()
        self._somebody_was_asked = asked > 0
        return tuple(sums)

    def stop_requested(self) -> bool:
        return self._somebody_was_asked

    def assert_same_on_all_ranks(self, what: str, make: Callable[[], Made], identity: Callable[[Made], str]) -> Made:
        """What each rank makes. RefusedError on all where it fails on one of them, or its identity is not the same everywhere."""
        made, found, fault = None, None, None
        try:
            made = make()
            found = identity(made)
        except (ValueError, OSError) as error:
            fault = str(error)
        every = self._communicator.allgather((self.name, found, fault))
        faults = [f"{name}: {said}" for name, _, said in every if said is not None]
        if len(faults) == self.size and len({said for _, _, said in every}) == 1:
            raise RefusedError(fault)
        if faults:
            raise RefusedError("; ".join(faults))
        first, *others = ((name, found) for name, found, _ in every)
        differing = [name for name, found in others if found != first[1]]
        if differing:
            raise RefusedError(f"{', '.join(differing)}: not the same as {first[0]} in {what}")
        return made

    def on_rank_zero(self, work: Callable[[], Made]) -> Made:
        """What comes of work that the first rank does, on all of them, once it is done."""
        return self._communicator.bcast(work() if self.rank == 0 else None)


@contextmanager
def ranks_of_mpi(stop_requested: Callable[[], bool]) -> Iterator[Ranks]:
    """All that mpirun started; one, where nobody has. What befalls one of them ends all; what all say is said by the first.

    ValueError where there is no MPI.
    """
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # the latter: it finds no library of MPI
        raise ValueError(
            f"--distributed needs MPI ({error}): run scripts/setup.sh trainer mpi, or pip install mpi4py mpich"
        ) from error
    ranks = Ranks(MPI.COMM_WORLD, MPI.IN_PLACE, MPI.Get_processor_name(), stop_requested)
    if ranks.rank:
        logging.getLogger().setLevel(logging.CRITICAL)
    try:
        ranks.assert_same_on_all_ranks(
            "the program or NumPy (the same Git commit and requirements.lock must be everywhere)", _program, str
        )
        yield ranks
    except OnAllRanksError:
        raise
    except BaseException as error:
        is_foreseen = isinstance(error, ValueError | OSError | MPI.Exception)
        reason = "lost the others" if isinstance(error, MPI.Exception) else repr(error) if not is_foreseen else error
        log.critical("%s: %s; this ends the training on all ranks", ranks.name, reason, exc_info=not is_foreseen)
        time.sleep(HEARD_SECONDS)
        MPI.COMM_WORLD.Abort(1)
        sys.exit(1)  # it may come back before its signal is there


def _program():
    """The code that is run and the NumPy that it draws and computes with, as a hash."""
    files = [
        file for folder in (Path(digitnet.__file__).parent, Path(__file__).parents[1]) for file in sorted(folder.rglob("*.py"))
    ]
    return hashlib.sha256(b"".join([np.__version__.encode(), *(file.read_bytes() for file in files)])).hexdigest()
