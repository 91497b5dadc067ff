"""
Measures, which run txwebqq and a yardstick in turn, and their results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

ROUNDS, QUICK_ROUNDS = 5, 2

Reading = float | dict[str, float]
"""The value of a function of a measure: a figure, or several by name, of which
the first is that of the measure and the others explain it."""


class NotMeasured(Exception):
    """
    A measure could not be taken. The text is the reason, in one line.
    """


@dataclass(frozen=True)
class Measure:
    """
    A measure.

    @ivar ours: a function of txwebqq, as C{module:function}; it runs in its own
        process and returns a L{Reading}.
    @ivar yardstick: the function that C{ours} is compared with; C{""} where the
        figure itself has the goal.
    @ivar goal: the wanted ratio of ours to the yardstick; L{None} where none is
        set.
    @ivar isLimit: whether the goal is a maximum; C{False} for a minimum.
    @ivar size: the arguments of both functions.
    @ivar quickSize: the arguments that differ in a quick run.
    @ivar yardstickSize: the arguments that differ for the yardstick.
    @ivar quickYardstickSize: the arguments that differ for the yardstick in a
        quick run.
    @ivar rounds: the number of runs of each function.
    @ivar quickRounds: its maximum in a quick run.
    @ivar program: a program that the yardstick needs; C{""} for none.
    """

    name: str
    ours: str
    yardstick: str
    goal: float | None
    unit: str
    isLimit: bool = True
    size: Mapping[str, Any] = field(default_factory=dict)
    quickSize: Mapping[str, Any] = field(default_factory=dict)
    yardstickSize: Mapping[str, Any] = field(default_factory=dict)
    quickYardstickSize: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = ROUNDS
    quickRounds: int = QUICK_ROUNDS
    program: str = ""

    def sizes(self, isQuick: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """
        Return the arguments of ours and those of the yardstick.
        """
        size = {**self.size, **(self.quickSize if isQuick else {})}
        other = {**size, **self.yardstickSize}
        if isQuick:
            other |= self.quickYardstickSize
        return size, other

    def take(
        self, isQuick: bool, run: Callable[[str, Mapping[str, Any]], Reading]
    ) -> Result:
        """
        Run both functions in turn, so that other load on the machine affects
        both.

        @raise NotMeasured: when the yardstick is no number above 0.
        """
        size, other = self.sizes(isQuick)
        rounds = min(self.rounds, self.quickRounds) if isQuick else self.rounds
        ours, yardstick = [], []
        details: dict[str, list[float]] = {}
        for _ in range(rounds):
            figure, more = _split(run(self.ours, size))
            ours.append(figure)
            for name, value in more.items():
                details.setdefault(name, []).append(value)
            if self.yardstick:
                figure, _ = _split(run(self.yardstick, other))
                if not figure > 0:
                    raise NotMeasured(f"{self.yardstick} returned {figure}")
                yardstick.append(figure)
        kept = {name: tuple(values) for name, values in details.items()}
        return Result(self, tuple(ours), tuple(yardstick), kept)


def _split(reading: Reading) -> tuple[float, dict[str, float]]:
    if not isinstance(reading, dict):
        return reading, {}
    (_, figure), *more = reading.items()
    return figure, dict(more)


@dataclass(frozen=True)
class Result:
    """
    The result of a measure: the figures of each run.

    @ivar yardstick: empty for a measure without one.
    @ivar details: more figures of ours, by name.
    """

    measure: Measure
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]
    details: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """
        The median of ours, divided by that of the yardstick, or by 1 without
        one.
        """
        return median(self.ours) / (median(self.yardstick) if self.yardstick else 1.0)

    @property
    def isMet(self) -> bool:
        """
        C{True} when the ratio meets the goal, or there is none.
        """
        goal = self.measure.goal
        if goal is None:
            return True
        return self.ratio <= goal if self.measure.isLimit else self.ratio >= goal


@dataclass(frozen=True)
class Failure:
    """
    The end of a measure without a figure.

    @ivar isSkipped: whether it was not begun, for want of a program.
    """

    measure: Measure
    reason: str
    isSkipped: bool = False


Outcome = Result | Failure
