"""
Comparison of results with those of an earlier run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measures import Outcome, Result
from benchmarks.resultsfile import Earlier

ENOUGH = 3
"""Number of rounds from which on the spread is known."""


@dataclass(frozen=True)
class Change:
    """
    The change of a measure since an earlier run.

    @ivar before: the earlier ratio of ours to the yardstick.
    @ivar after: the present ratio.
    @ivar isKnown: whether both runs had rounds enough to know their spread.
    @ivar isBeyondSpread: whether each ratio of one run is above each of the
        other.
    @ivar isBetter: whether the change is in the direction of the goal.
    """

    before: float
    after: float
    isKnown: bool
    isBeyondSpread: bool
    isBetter: bool

    @property
    def factor(self) -> float:
        """
        The present ratio divided by the earlier one.
        """
        return self.after / self.before

    def text(self) -> str:
        """
        Format the change as a cell of the table.
        """
        text = f"{self.before:.2f} x {self.factor:.2f}"
        if self.isBeyondSpread:
            return f"{text} {'better' if self.isBetter else 'worse'}"
        return text if self.isKnown else f"{text} ?"


def compare(outcomes: Sequence[Outcome], earlier: Earlier) -> dict[str, Change]:
    """
    Compare results with those of an earlier run, by the name of the measure.
    Results of other sizes or units are left out, as are measures without a
    figure in one of the runs.
    """
    changes = {}
    for outcome in outcomes:
        before = earlier.results.get(outcome.measure.name)
        if not isinstance(outcome, Result) or before is None:
            continue
        size = outcome.measure.sizes(earlier.isQuick)
        if before.unit != outcome.measure.unit or before.sizes != size:
            continue
        was = _ratios(before.ours, before.yardstick)
        now = _ratios(outcome.ours, outcome.yardstick)
        isKnown = min(len(was), len(now)) >= ENOUGH
        isLower = max(now) < min(was)
        changes[outcome.measure.name] = Change(
            before.ratio,
            outcome.ratio,
            isKnown,
            isKnown and (isLower or min(now) > max(was)),
            isLower == outcome.measure.isLimit,
        )
    return changes


def _ratios(ours: Sequence[float], yardstick: Sequence[float]) -> list[float]:
    """
    Return the ratio of each round, whose two runs followed one another.
    """
    if not yardstick:
        return list(ours)
    return [one / other for one, other in zip(ours, yardstick, strict=True)]


def summary(outcomes: Sequence[Outcome], changes: Mapping[str, Change]) -> str:
    """
    Tell in words which measures have changed by more than the spread.
    """
    lines = []
    for name, change in changes.items():
        if change.isBeyondSpread:
            direction = "better" if change.isBetter else "worse"
            lines.append(
                f"{name} is {direction} beyond the spread:"
                f" {change.before:.3g} before, {change.after:.3g} now."
            )
    if not lines and any(change.isKnown for change in changes.values()):
        lines.append("No measure has changed beyond the spread.")
    unknown = [name for name, change in changes.items() if not change.isKnown]
    if unknown:
        lines.append(
            f"Fewer than {ENOUGH} rounds, so the spread is unknown:"
            f" {', '.join(unknown)}."
        )
    missing = [
        outcome.measure.name
        for outcome in outcomes
        if isinstance(outcome, Result) and outcome.measure.name not in changes
    ]
    if missing:
        lines.append(
            "Not in the earlier file, or there with another size:"
            f" {', '.join(missing)}."
        )
    return "\n".join(lines)
