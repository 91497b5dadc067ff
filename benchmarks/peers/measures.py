"""
Measures of several servers in turn, and their results.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.measures import NotMeasured, Reading
from benchmarks.peers.processes import Missing

OURS = "ours"

ROUNDS, QUICK_ROUNDS = 3, 1

Figures = dict[str, list[float]]
"""The figures of each round, by the names of servers."""


@dataclass(frozen=True)
class Goal:
    """
    A goal for our figure.

    @ivar than: the server that ours has to be ahead of; C{""} for a fixed limit.
    @ivar limit: the fixed limit; ours must not be above it.
    @ivar isMore: whether a greater figure is ahead of a smaller one.
    """

    than: str = ""
    limit: float = 0.0
    isMore: bool = False

    def verdict(self, figures: Mapping[str, Sequence[float]]) -> str:
        """
        Say whether ours meets the goal.
        """
        ours = median(figures[OURS]) if figures.get(OURS) else None
        if not self.than:
            text = f"<= {self.limit:g}"
            if ours is None:
                return f"{text}: not measured"
            return f"{text}: {'met' if ours <= self.limit else 'missed'}"
        theirs = figures.get(self.than)
        if ours is None or not theirs:
            return f"ahead of {self.than}: not measured"
        other = median(theirs)
        isAhead = ours > other if self.isMore else ours < other
        return f"ahead of {self.than}: {'yes' if isAhead else 'no'}"


@dataclass(frozen=True)
class Part:
    """
    One figure of a measure.

    @ivar goal: L{None} for a figure without a goal.
    """

    name: str
    unit: str
    goal: Goal | None = None


@dataclass(frozen=True)
class PeerMeasure:
    """
    A measure of several servers.

    @ivar name: its name, and that of its first figure.
    @ivar function: C{module:function}; it runs in its own process, is called with
        the name of a server as C{peer} and with the sizes, and returns a
        L{Reading}; the names in it follow that of the measure.
    @ivar peers: the names of the servers.
    @ivar size: the arguments of the function.
    @ivar quickSize: the arguments that differ in a quick run.
    @ivar rounds: the number of runs for each server.
    """

    name: str
    function: str
    peers: tuple[str, ...]
    parts: tuple[Part, ...]
    size: Mapping[str, Any] = field(default_factory=dict)
    quickSize: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = ROUNDS

    def take(
        self,
        peers: Sequence[str],
        isQuick: bool,
        run: Callable[[str, Mapping[str, Any]], Reading],
        report: Callable[[str], object],
    ) -> list[PeerResult]:
        """
        Run the function for each server in turn, in each round.

        @param peers: the servers to measure.
        @param report: is called with a line about a server that fails; the others
            are measured still.
        """
        size = {**self.size, **(self.quickSize if isQuick else {})}
        left = [peer for peer in self.peers if peer in peers]
        found: dict[str, Figures] = {part.name: {} for part in self.parts}
        for _ in range(QUICK_ROUNDS if isQuick else self.rounds):
            for peer in list(left):
                try:
                    reading = run(self.function, {"peer": peer, **size})
                except NotMeasured as e:
                    report(f"{self.name}: {peer} failed: {e}")
                    left.remove(peer)
                    continue
                if not isinstance(reading, Mapping):
                    reading = {"": reading}
                for key, figure in reading.items():
                    name = f"{self.name}-{key}" if key else self.name
                    if name in found:
                        found[name].setdefault(peer, []).append(figure)
        return [PeerResult(part, self.peers, found[part.name]) for part in self.parts]


@dataclass(frozen=True)
class PeerResult:
    """
    The figures of all servers.

    @ivar peers: the servers that the measure has, also those without figures.
    """

    part: Part
    peers: tuple[str, ...]
    figures: Figures

    def line(self) -> str:
        """
        Format the result as one line of JSON.
        """
        medians = {
            peer: round(median(self.figures[peer]), 3)
            for peer in self.peers
            if peer in self.figures
        }
        rounds = max((len(each) for each in self.figures.values()), default=0)
        return json.dumps(
            {
                "name": self.part.name,
                **medians,
                "unit": self.part.unit,
                "rounds": rounds,
            }
        )

    def row(self, columns: Sequence[str]) -> list[str]:
        """
        Format the result as the cells of L{table}.

        @param columns: the servers that have a column.
        """
        cells = [self.part.name]
        for peer in columns:
            if peer in self.figures:
                cells.append(_spread(self.figures[peer]))
            else:
                cells.append("-" if peer in self.peers else "")
        goal = self.part.goal
        cells += [self.part.unit, goal.verdict(self.figures) if goal else ""]
        return cells


def available(
    starters: Mapping[str, Callable[[], object]], report: Callable[[str], object]
) -> list[str]:
    """
    Return the servers whose programs are installed.

    @param starters: functions that raise L{Missing}, by server.
    @param report: is called with one line for each server that is missing.
    """
    names = []
    for name, check in starters.items():
        try:
            check()
        except Missing as e:
            report(str(e))
        else:
            names.append(name)
    return names


def table(results: Iterable[PeerResult]) -> str:
    """
    Format results as a table of text, with a column for each server that one of
    them has.
    """
    results = list(results)
    columns = list(dict.fromkeys(peer for each in results for peer in each.peers))
    rows = [["measure", *columns, "unit", "goal"]]
    rows += [result.row(columns) for result in results]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _spread(figures: Sequence[float]) -> str:
    middle = median(figures)
    around = (max(figures) - min(figures)) / 2 / middle * 100 if middle else 0.0
    return f"{middle:.4g} ±{abs(around):.0f} %"
