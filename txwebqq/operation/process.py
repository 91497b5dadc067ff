"""
The size of a process: the delayed calls of its reactor, and the memory blocks of
Python.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from twisted.internet.interfaces import IReactorTime

from txwebqq.operation.metrics import Sample, gauge

DELAYED_CALLS = gauge(
    "txwebqq_delayed_calls",
    "Calls that the reactor will make later.",
)
MEMORY_BLOCKS = gauge(
    "txwebqq_memory_blocks",
    "Blocks of memory that Python has allocated for objects.",
)


class ProcessSource:
    """
    The present size of the process (L{Source<txwebqq.operation.metrics.Source>}).

    Both numbers are counted when they are asked for, and return to the same level
    whenever the daemon has the same work: one that grows is a leak. The size of the
    process as the system counts it shows a leak later, since Python keeps memory that
    it has freed.
    """

    metrics = (DELAYED_CALLS, MEMORY_BLOCKS)

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    def samples(self) -> Iterator[Sample]:
        yield DELAYED_CALLS, (), float(len(self._clock.getDelayedCalls()))
        yield MEMORY_BLOCKS, (), float(sys.getallocatedblocks())

    def problems(self) -> Iterable[str]:
        return ()
