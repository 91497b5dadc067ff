"""
The lag of the event loop: the time by which calls of the reactor are late.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.operation.metrics import Histogram, Sample, histogram

INTERVAL = 1.0
"""Time between two measurements, in seconds."""

BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

LAG = histogram(
    "txwebqq_event_loop_lag_seconds",
    "Time by which a call that is due each second was late.",
)


class LagMeter(Service):
    """
    Measures the lag while it runs
    (L{Source<txwebqq.operation.metrics.Source>}).
    """

    metrics = (LAG,)

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._lag = Histogram(BOUNDS)
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def startService(self) -> None:
        super().startService()  # type: ignore[no-untyped-call]
        self._schedule()

    def stopService(self) -> None:
        super().stopService()  # type: ignore[no-untyped-call]
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def _schedule(self) -> None:
        self._due = self._clock.seconds() + INTERVAL
        self._call = self._clock.callLater(INTERVAL, self._measure)

    def _measure(self) -> None:
        self._lag.observe(self._clock.seconds() - self._due)
        self._schedule()

    def samples(self) -> Iterator[Sample]:
        yield LAG, (), self._lag

    def problems(self) -> Iterable[str]:
        return ()
