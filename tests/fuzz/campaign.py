"""
Many inputs for one kind of object, in batches; failing ones are made shorter.
"""

from __future__ import annotations

import gc
import resource
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

BATCH = 200
"""Number of inputs for one object."""

CHECKED = 40
"""Number of inputs after which the object is asked for a good answer."""

MAX_PROBLEMS = 5
"""Number of different problems after which a campaign ends."""

ATTEMPTS = 150
"""Number of attempts to make a failing input shorter."""

CPU = 3.0
"""CPU time for one input above which a long campaign reports it, in seconds."""

GROWTH = 200_000
"""Growth of the memory of a process, after its first batches, which a long campaign
reports, in KiB."""


class Target(Protocol):
    """
    An object in memory that is given inputs.
    """

    def feed(self, item: Any) -> None:
        """
        Give it one input, and let all work be done that is due.
        """

    def check(self) -> None:
        """
        Check that a good request gets its good answer.
        """

    def close(self) -> None:
        """
        End its connections and its timers.
        """


@dataclass(frozen=True)
class Kind:
    """
    One kind of input.

    @ivar make: makes an input, a Python literal.
    @ivar open: makes an object for such inputs.
    @ivar few: the number of inputs in a run of all tests.
    """

    name: str
    make: Callable[[Random], Any]
    open: Callable[[], Target]
    few: int


@dataclass(frozen=True)
class Problem:
    """
    Inputs that make an object fail.
    """

    kind: str
    items: tuple[Any, ...]
    reason: str

    def __str__(self) -> str:
        lines = [f"{self.kind}: {self.reason.rstrip()}", "Inputs:"]
        lines += [f"    {item!r}," for item in self.items]
        return "\n".join(lines)


@contextmanager
def failuresLogged() -> Iterator[list[str]]:
    """
    Collect the failures and errors that are logged.
    """
    found: list[str] = []

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        failure = event.get("log_failure")
        if failure is not None:
            found.append(f"{formatEvent(event)}\n{failure.getTraceback()}")
        elif event.get("isError"):
            found.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        yield found
    finally:
        globalLogPublisher.removeObserver(observe)


class Campaign:
    """
    Gives one kind of object inputs.

    @param seed: the seed; each input depends on it, the kind and its own number only.
    @param isLong: whether time and memory are looked at as well.

    @ivar problems: those that were found.
    @ivar slowest: the CPU time of the slowest input, in seconds.
    """

    def __init__(self, kind: Kind, seed: int, isLong: bool = False) -> None:
        self._kind = kind
        self._seed = seed
        self._isLong = isLong
        self.problems: list[Problem] = []
        self.slowest = 0.0

    def item(self, number: int) -> Any:
        """
        Return the input with a number.
        """
        return self._kind.make(Random(f"{self._seed} {self._kind.name} {number}"))

    def run(self, start: int, stop: int) -> None:
        """
        Give the inputs with some numbers.
        """
        size = 0
        for first in range(start, stop, BATCH):
            items = [self.item(n) for n in range(first, min(first + BATCH, stop))]
            found = self._attempt(items)
            if found is not None:
                self._note(*found)
            if len(self.problems) >= MAX_PROBLEMS:
                return
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if first < start + 5 * BATCH:
                size = now
            if self._isLong and now - size > GROWTH:
                reason = f"memory has grown from {size} to {now} KiB"
                self.problems.append(Problem(self._kind.name, tuple(items), reason))
                return

    def _attempt(self, items: Sequence[Any]) -> tuple[list[Any], str] | None:
        """
        Give an object inputs.

        @return: the inputs up to the one that failed, and the reason.
        """
        with failuresLogged() as logged:
            target = self._kind.open()
            given: list[Any] = []
            try:
                for number, item in enumerate(items, 1):
                    given.append(item)
                    before = time.process_time()
                    target.feed(item)
                    spent = time.process_time() - before
                    self.slowest = max(self.slowest, spent)
                    if self._isLong and spent > CPU:
                        return [item], f"took {spent:.1f} s of CPU time"
                    if not logged and (number % CHECKED == 0 or number == len(items)):
                        target.check()
                    if logged:
                        break
                target.close()
                del target
                gc.collect(1)
            except Exception:
                logged.append(traceback.format_exc())
        return (given, logged[0]) if logged else None

    def _note(self, items: list[Any], reason: str) -> None:
        where = _placeOf(reason)
        if any(_placeOf(each.reason) == where for each in self.problems):
            return
        left = ATTEMPTS

        def fails(some: Sequence[Any]) -> bool:
            nonlocal left
            left -= 1
            if left < 0:
                return False
            found = self._attempt(some)
            return found is not None and _placeOf(found[1]) == where

        shorter = shortened(items[-1:] if fails(items[-1:]) else items, fails)
        if len(shorter) == 1:
            for smaller in _smaller(shorter[0], lambda item: fails([item])):
                shorter = [smaller]
        self.problems.append(Problem(self._kind.name, tuple(shorter), reason))


def _placeOf(reason: str) -> str:
    """
    Return the last place in our code that a reason names, and its last line.
    """
    lines = reason.rstrip().split("\n")
    ours = [line for line in lines if "txwebqq/" in line and "line " in line]
    return f"{ours[-1] if ours else ''} {lines[-1].partition(':')[0]}"


def shortened(items: Sequence[Any], fails: Callable[[Sequence[Any]], bool]) -> Any:
    """
    Leave out parts of a sequence as long as the rest still fails.
    """
    size = len(items) // 2
    while size:
        at = 0
        while at < len(items):
            rest = [*items[:at], *items[at + size :]]
            if rest and fails(rest):
                items = rest
            else:
                at += size
        size //= 2
    return list(items)


def _smaller(item: Any, fails: Callable[[Any], bool]) -> Iterator[Any]:
    """
    Iterate over ever shorter versions of an input that still fail.
    """
    if isinstance(item, (bytes, str)):
        text: Any = item
        size = len(text) // 2
        while size:
            at = 0
            while at < len(text):
                rest = text[:at] + text[at + size :]
                if fails(rest):
                    text = rest
                    yield text
                else:
                    at += size
            size //= 2
    elif isinstance(item, tuple):
        for at in range(len(item)):
            whole = item

            def failsWith(new: Any, whole: Any = whole, at: int = at) -> bool:
                return fails(_with(whole, at, new))

            for each in _smaller(item[at], failsWith):
                item = _with(item, at, each)
                yield item


def _with(item: tuple[Any, ...], at: int, new: Any) -> tuple[Any, ...]:
    return (*item[:at], new, *item[at + 1 :])
