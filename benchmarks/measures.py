"""
Measures, which run txwebqq and a yardstick in turn, and their results.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

ROUNDS, QUICK_ROUNDS = 5, 2


@dataclass(frozen=True)
class Measure:
    """
    A measure.

    @ivar ours: a function of txwebqq, as C{module:function}; it runs in its own
        process and returns a figure.
    @ivar yardstick: the function that C{ours} is compared with.
    @ivar goal: the wanted ratio of ours to the yardstick.
    @ivar isLimit: whether the goal is a maximum; C{False} for a minimum.
    @ivar size: the arguments of both functions.
    @ivar quickSize: the arguments that differ in a quick run.
    @ivar yardstickSize: the arguments that differ for the yardstick.
    @ivar quickYardstickSize: the arguments that differ for the yardstick in a
        quick run.
    @ivar rounds: the number of runs of each function.
    @ivar quickRounds: its maximum in a quick run.
    """

    name: str
    ours: str
    yardstick: str
    goal: float
    unit: str
    isLimit: bool = True
    size: Mapping[str, Any] = field(default_factory=dict)
    quickSize: Mapping[str, Any] = field(default_factory=dict)
    yardstickSize: Mapping[str, Any] = field(default_factory=dict)
    quickYardstickSize: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = ROUNDS
    quickRounds: int = QUICK_ROUNDS

    def take(
        self, isQuick: bool, run: Callable[[str, Mapping[str, Any]], float]
    ) -> Result:
        """
        Run both functions in turn, so that other load on the machine affects
        both.
        """
        size = {**self.size, **(self.quickSize if isQuick else {})}
        other = {**size, **self.yardstickSize}
        if isQuick:
            other |= self.quickYardstickSize
        rounds = min(self.rounds, self.quickRounds) if isQuick else self.rounds
        ours, yardstick = [], []
        for _ in range(rounds):
            ours.append(run(self.ours, size))
            yardstick.append(run(self.yardstick, other))
        return Result(self, tuple(ours), tuple(yardstick))


@dataclass(frozen=True)
class Result:
    """
    The result of a measure: the figures of each run.
    """

    measure: Measure
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """
        The median of ours, divided by that of the yardstick.
        """
        return median(self.ours) / median(self.yardstick)

    @property
    def isMet(self) -> bool:
        """
        C{True} when the ratio meets the goal.
        """
        goal = self.measure.goal
        return self.ratio <= goal if self.measure.isLimit else self.ratio >= goal

    def line(self) -> str:
        """
        Format the result as one line of JSON.
        """
        return json.dumps(
            {
                "name": self.measure.name,
                "ours": round(median(self.ours), 3),
                "yardstick": round(median(self.yardstick), 3),
                "ratio": round(self.ratio, 3),
                "unit": self.measure.unit,
                "rounds": len(self.ours),
            }
        )

    def row(self) -> tuple[str, ...]:
        """
        Format the result as the cells of L{table}.
        """
        sign = "<=" if self.measure.isLimit else ">="
        return (
            self.measure.name,
            _spread(self.ours),
            _spread(self.yardstick),
            self.measure.unit,
            f"{self.ratio:.2f}",
            f"{sign} {self.measure.goal:g}",
            "met" if self.isMet else "missed",
        )


HEAD = ("measure", "ours", "yardstick", "unit", "ratio", "goal", "")


def table(results: list[Result]) -> str:
    """
    Format results as a table of text.
    """
    rows = [HEAD, *(result.row() for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _spread(figures: tuple[float, ...]) -> str:
    middle = median(figures)
    low, high = min(figures), max(figures)
    around = (high - low) / 2 / middle * 100 if middle else 0.0
    return f"{middle:.4g} ±{around:.0f} %"


def inProcess(function: str, size: Mapping[str, Any]) -> float:
    """
    Run a function in a new process and return its figure.
    """
    argv = [sys.executable, "-m", "benchmarks.work", function, json.dumps(dict(size))]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{function} failed")
    figure: float = json.loads(done.stdout.splitlines()[-1])
    return figure
