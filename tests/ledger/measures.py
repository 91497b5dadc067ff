"""
The sizes of daemons, as their endpoints for operators tell them: memory, descriptors,
delayed calls and the memory blocks of Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint

from tests.messages import Asker, Message


class Measure(Enum):
    """
    A size of a process, by the name of its metric.
    """

    MEMORY = "process_resident_memory_bytes"
    DESCRIPTORS = "process_open_fds"
    CALLS = "txwebqq_delayed_calls"
    BLOCKS = "txwebqq_memory_blocks"


TITLES = {
    Measure.MEMORY: "memory (MiB)",
    Measure.DESCRIPTORS: "descriptors",
    Measure.CALLS: "delayed calls",
    Measure.BLOCKS: "blocks (1000)",
}

_UNITS = {Measure.MEMORY: 1024 * 1024, Measure.BLOCKS: 1000}

Reading = Mapping[Measure, float]
"""The sizes of one process at one moment."""


def shown(measure: Measure, value: float) -> str:
    """
    Write a size in the unit of its title.
    """
    return f"{value / _UNITS.get(measure, 1):.1f}"


def parse(text: str) -> Reading:
    """
    Read the sizes from the metrics of a daemon.
    """
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    return {measure: values[measure.value] for measure in Measure}


async def fetch(port: int, path: str) -> Message:
    """
    Fetch a page from a port of this machine.

    @raise Lost: when the daemon does not answer.
    """
    # A connection that is kept would be one more until the daemon closes it.
    asker = Asker(lambda: TCP4ClientEndpoint(reactor, "127.0.0.1", port), isKept=False)
    return await asker.ask("GET", path)


async def read(port: int) -> Reading:
    """
    Ask a daemon for its sizes. Its descriptors include that of the connection.

    @raise Lost: when the daemon does not answer.
    """
    answer = await fetch(port, "/metrics")
    assert answer.status == 200, answer.first
    return parse(answer.body.decode())


def least(readings: Sequence[Reading]) -> Reading:
    """
    Return the least of each size, which is the one without work that has just begun.
    """
    return {measure: min(each[measure] for each in readings) for measure in Measure}


@dataclass(frozen=True)
class Tolerance:
    """
    The growth of a size that is no leak.

    @ivar share: the growth as a share of the size before.
    @ivar more: the growth that is allowed for any size.
    """

    share: float
    more: float

    def most(self, before: float) -> float:
        """
        Return the largest size that is allowed afterwards.
        """
        return max(before * (1 + self.share), before + self.more)


def growths(
    name: str,
    before: Reading,
    after: Reading,
    tolerances: Mapping[Measure, Tolerance],
) -> Iterator[str]:
    """
    Generate a line for each size of a daemon that has grown beyond its tolerance.
    """
    for measure, tolerance in tolerances.items():
        most = tolerance.most(before[measure])
        if after[measure] > most:
            was, now, limit = (
                shown(measure, value)
                for value in (before[measure], after[measure], most)
            )
            yield (
                f"the {name} has grown: {TITLES[measure]} {now}, was {was},"
                f" allowed {limit}"
            )


# ---- over a time

BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Drift:
    """
    The means of a size in two windows of time.
    """

    early: float
    late: float

    @property
    def share(self) -> float:
        """
        The growth as a share of the early mean.
        """
        return self.late / self.early - 1 if self.early else float(self.late > 0)


class Curve:
    """
    The sizes of one daemon over a time.

    @ivar readings: the moments, in seconds after the beginning, and the sizes.
    @ivar quiet: those of them in pauses, when the connections that nobody uses are
        closed.
    """

    def __init__(self) -> None:
        self.readings: list[tuple[float, Reading]] = []
        self.quiet: list[tuple[float, Reading]] = []

    def add(self, moment: float, reading: Reading, isQuiet: bool = False) -> None:
        """
        Add a reading.
        """
        self.readings.append((moment, reading))
        if isQuiet:
            self.quiet.append((moment, reading))

    def mean(self, measure: Measure, begin: float, end: float) -> float:
        """
        Return the mean of a size from one moment to another; that of descriptors and
        delayed calls, which follow the work of the moment, in the pauses.
        """
        isBusy = measure in (Measure.MEMORY, Measure.BLOCKS)
        values = [
            reading[measure]
            for moment, reading in (self.readings if isBusy else self.quiet)
            if begin <= moment < end
        ]
        assert values, f"no reading between {begin:.0f} s and {end:.0f} s"
        return sum(values) / len(values)

    def drift(self, measure: Measure, total: float) -> Drift:
        """
        Compare the last third of a time with the second.
        """
        third = total / 3
        return Drift(
            self.mean(measure, third, 2 * third), self.mean(measure, 2 * third, total)
        )

    def drawn(self, measure: Measure, total: float, width: int) -> str:
        """
        Draw a size over a time as a line of blocks between its least and its largest.
        """
        step = total / width
        means = [self._meanOr(measure, n * step, step) for n in range(width)]
        known = [mean for mean in means if mean is not None]
        low, high = min(known), max(known)
        span = high - low or 1.0
        return "".join(
            " " if mean is None else BLOCKS[round((mean - low) / span * 7)]
            for mean in means
        )

    def bounds(self, measure: Measure) -> tuple[float, float]:
        """
        Return the least and the largest of a size.
        """
        values = [reading[measure] for _, reading in self.readings]
        return min(values), max(values)

    def _meanOr(self, measure: Measure, begin: float, width: float) -> float | None:
        values = [
            reading[measure]
            for moment, reading in self.readings
            if begin <= moment < begin + width
        ]
        return sum(values) / len(values) if values else None
