"""
Descriptions of metrics, and the sources that they are read from.

A source counts in plain integers, and is read only when the metrics are asked for.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class MetricKind(Enum):
    """
    The types of metrics, by their names in the Prometheus text format.
    """

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """
    A metric.

    @ivar name: its name; that of a counter ends with C{_total}.
    @ivar description: one line for its readers.
    @ivar labels: the names of its labels.
    """

    name: str
    kind: MetricKind
    description: str
    labels: tuple[str, ...] = ()


def counter(name: str, description: str, *labels: str) -> Metric:
    """
    Describe a number that only grows.
    """
    return Metric(name, MetricKind.COUNTER, description, labels)


def gauge(name: str, description: str, *labels: str) -> Metric:
    """
    Describe a number that grows and shrinks.
    """
    return Metric(name, MetricKind.GAUGE, description, labels)


def histogram(name: str, description: str, *labels: str) -> Metric:
    """
    Describe the distribution of a number.
    """
    return Metric(name, MetricKind.HISTOGRAM, description, labels)


class Histogram:
    """
    The counts of a distribution.

    @param bounds: the upper bounds of the buckets, in order; a last one has none.

    @ivar total: the sum of all values.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """
        Count a value.
        """
        self._counts[bisect_left(self._bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """
        Return the upper bound of each bucket, and how many values are not above it.
        """
        found: list[tuple[str, float]] = []
        count = 0
        bounds = (*self._bounds, float("inf"))
        for bound, inBucket in zip(bounds, self._counts, strict=True):
            count += inBucket
            text = "+Inf" if bound == float("inf") else repr(float(bound))
            found.append((text, float(count)))
        return found


Sample = tuple[Metric, tuple[str, ...], float | Histogram]
"""A metric, the values of its labels, and its value."""


class Source(Protocol):
    """
    A part of a daemon that is watched.

    @ivar metrics: the metrics of which it has samples.
    """

    @property
    def metrics(self) -> Sequence[Metric]: ...

    def samples(self) -> Iterator[Sample]:
        """
        Generate the present values. Called for each request for the metrics.
        """

    def problems(self) -> Iterable[str]:
        """
        Return the reasons why the daemon cannot do its work now, none if it can.
        """
