"""
Detection of a process that stood still: it was stopped, or the machine slept.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary, WeakMethod, ref

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

INTERVAL = 5.0
"""Seconds between two looks at the clock."""

LATE = 30.0
"""Seconds by which a look has to be late. Routers forget connections and servers
forget sessions after more than that; a process that is merely busy is less late."""

Listener = Callable[[float], None]
"""A function that is called with the seconds for which the process stood still."""


class StallWatch:
    """
    Looks at the clock as long as there are listeners.
    """

    _log = Logger()

    def __init__(self, clock: IReactorTime) -> None:
        # Of the clock and of the listeners there are weak references only: this is
        # kept for as long as the clock is there, which listeners refer to.
        self._clock = ref(clock)
        self._listeners: list[WeakMethod[Listener]] = []
        self._next: IDelayedCall | None = None
        self._due = 0.0

    def add(self, listener: Listener) -> Callable[[], None]:
        """
        Add a listener, which has to be a method.

        @return: removes it.
        """
        method = WeakMethod(listener, self._dropped)
        self._listeners.append(method)
        if self._next is None:
            self._schedule()

        def remove() -> None:
            self._dropped(method)

        return remove

    def _dropped(self, method: WeakMethod[Listener]) -> None:
        if method in self._listeners:
            self._listeners.remove(method)
        later = self._next
        if not self._listeners and later is not None:
            self._next = None
            later.cancel()

    def _schedule(self) -> None:
        clock = self._clock()
        if clock is not None and self._listeners:
            self._due = clock.seconds() + INTERVAL
            self._next = clock.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        self._next = None
        clock = self._clock()
        assert clock is not None
        late = clock.seconds() - self._due
        self._schedule()
        if late < LATE:
            return
        self._log.warn(
            "The process stood still for {seconds:.0f} s: it was stopped, the machine"
            " slept, or its clock was set forward. Accounts begin new polls on new"
            " connections.",
            seconds=late,
        )
        for method in self._listeners[:]:
            listener = method()
            if listener is not None:
                listener(late)


_watches: WeakKeyDictionary[IReactorTime, StallWatch] = WeakKeyDictionary()


def whenStalled(clock: IReactorTime, listener: Listener) -> Callable[[], None]:
    """
    Have a method called each time after the process stood still. All accounts of a
    clock share one watch.

    @return: ends this.
    """
    watch = _watches.get(clock)
    if watch is None:
        watch = _watches[clock] = StallWatch(clock)
    return watch.add(listener)
