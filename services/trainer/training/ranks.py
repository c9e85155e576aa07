"""Training on several processes, of one machine or of many: `mpirun -n 4 python -m trainer train --distributed`.

All ranks (MPI's word for processes) run the same program. Each computes the gradients of its part of a batch, gets the sum of
all parts, and takes the same step. Rank 0 alone reads and writes files. A rank must not act alone, for example on a signal to
stop: the others would wait for it forever. So the ranks first tell each other, in the sum.
"""

import hashlib
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import digitnet
import numpy as np
from digitnet.arrays import Array
from digitnet.parallel import Group

if TYPE_CHECKING:
    from mpi4py import MPI

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.5  # mpirun drops output that it has not read when a rank aborts
Made = TypeVar("Made")


class OnAllRanksError(Exception):
    """All ranks raise it at the same time, so no rank waits for another."""


class RefusedError(OnAllRanksError, ValueError):
    """The ranks cannot train together; the message names those at fault."""


class OneRank(Group):
    """A training on one process, without MPI. `stop_requested` returns whether a signal asked it to stop."""

    def __init__(self, stop_requested: Callable[[], bool] = lambda: False):
        self.stop_requested = stop_requested

    def assert_same_on_all_ranks(self, what: str, make: Callable[[], Made], identity: Callable[[Made], str]) -> Made:
        """Call `make` on each rank and return its result. RefusedError on all ranks if one fails, or if identities differ."""
        return make()

    def on_rank_zero(self, work: Callable[[], Made]) -> Made:
        """Call `work` on rank 0 alone; return its result on all ranks."""
        return work()


class Ranks(OneRank):
    """Several processes that communicate through MPI. Each sum also tells all ranks whether one was asked to stop."""

    def __init__(self, communicator: "MPI.Intracomm", in_place: Any, host: str, stop_requested: Callable[[], bool]):
        super().__init__(lambda: self._any_stop_requested)
        self._communicator, self._in_place = communicator, in_place
        self._own_stop_requested, self._any_stop_requested = stop_requested, False
        self.rank, self.size = communicator.rank, communicator.size
        self.name = f"rank {self.rank} on {host}"

    def sum_(self, array: Array, *numbers: float) -> tuple[float, ...]:
        more = np.array([*numbers, self._own_stop_requested()], array.dtype)
        message = np.concatenate([array.ravel(), more])
        self._communicator.Allreduce(self._in_place, message)
        array[...] = message[: array.size].reshape(array.shape)
        *sums, stop_requests = message[array.size :].tolist()
        self._any_stop_requested = stop_requests > 0
        return tuple(sums)

    def assert_same_on_all_ranks(self, what: str, make: Callable[[], Made], identity: Callable[[Made], str]) -> Made:
        made, found, fault = None, None, None
        try:
            made = make()
            found = identity(made)
        except (ValueError, OSError) as error:
            fault = str(error)
        every = self._communicator.allgather((self.name, found, fault))
        faults = [f"{name}: {fault}" for name, _, fault in every if fault is not None]
        if faults:
            raise RefusedError("; ".join(faults))
        differing = [name for name, found, _ in every if found != every[0][1]]
        if differing:
            raise RefusedError(f"{', '.join(differing)}: differs from {every[0][0]} in {what}")
        return cast(Made, made)

    def on_rank_zero(self, work: Callable[[], Made]) -> Made:
        return cast(Made, self._communicator.bcast(work() if self.rank == 0 else None))


@contextmanager
def ranks_of_mpi(stop_requested: Callable[[], bool]) -> Iterator[Ranks]:
    """Yield the ranks that mpirun started. An error on one ends all; only rank 0 logs. ValueError without MPI."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # the latter: mpi4py finds no MPI library
        advice = "run scripts/setup.sh trainer mpi, or pip install mpi4py mpich"
        raise ValueError(f"--distributed needs MPI ({error}): {advice}") from error
    ranks = Ranks(MPI.COMM_WORLD, MPI.IN_PLACE, MPI.Get_processor_name(), stop_requested)
    if ranks.rank:
        logging.getLogger().setLevel(logging.CRITICAL)
    try:
        what = "the program or NumPy (install the same Git commit and requirements.lock on all machines)"
        ranks.assert_same_on_all_ranks(what, _program, str)
        yield ranks
    except OnAllRanksError:
        raise
    except BaseException as error:
        is_foreseen = isinstance(error, ValueError | OSError | MPI.Exception)
        log.critical("%s: %s; training ends on all ranks", ranks.name, error, exc_info=not is_foreseen)
        time.sleep(FLUSH_SECONDS)
        MPI.COMM_WORLD.Abort(1)
        sys.exit(1)  # Abort may return before its signal arrives


def _program() -> str:
    """Return a hash of the code and of NumPy's version."""
    folders = Path(digitnet.__file__).parent, Path(__file__).parents[1]
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    return hashlib.sha256(b"".join([np.__version__.encode(), *(file.read_bytes() for file in files)])).hexdigest()
