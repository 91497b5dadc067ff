"""
Results of measures as lines of JSON and as a table of text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.comparison import Change
from benchmarks.measures import Measure, Outcome, Result

HEAD = ("measure", "ours", "yardstick", "unit", "ratio", "before", "goal", "")


def line(outcome: Outcome) -> str:
    """
    Format an outcome as one line of JSON.
    """
    fields: dict[str, Any] = {"name": outcome.measure.name}
    if not isinstance(outcome, Result):
        fields["skipped" if outcome.isSkipped else "failed"] = outcome.reason
        return json.dumps(fields)
    hasYardstick = bool(outcome.yardstick)
    fields |= {
        "ours": round(median(outcome.ours), 3),
        "yardstick": round(median(outcome.yardstick), 3) if hasYardstick else None,
        "ratio": round(outcome.ratio, 3) if hasYardstick else None,
        "unit": outcome.measure.unit,
        "rounds": len(outcome.ours),
    }
    if outcome.details:
        fields["details"] = {
            name: round(median(figures), 3) for name, figures in outcome.details.items()
        }
    return json.dumps(fields)


def table(outcomes: Sequence[Outcome], changes: Mapping[str, Change] | None) -> str:
    """
    Format outcomes as a table of text.

    @param changes: the changes since an earlier run by the name of the measure;
        L{None} without one.
    """
    rows = [HEAD]
    for outcome in outcomes:
        rows += _rows(outcome, changes or {})
    columns = [
        column
        for column, name in enumerate(HEAD)
        if changes is not None or name != "before"
    ]
    # The last column, with the reasons, may be of any width.
    widths = [max(len(row[column]) for row in rows) for column in columns[:-1]]
    return "\n".join(
        "  ".join(
            [
                row[column].ljust(width)
                for column, width in zip(columns[:-1], widths, strict=True)
            ]
            + [row[-1]]
        ).rstrip()
        for row in rows
    )


def _rows(
    outcome: Outcome, changes: Mapping[str, Change]
) -> list[tuple[str, str, str, str, str, str, str, str]]:
    measure = outcome.measure
    goal = _goal(measure)
    if not isinstance(outcome, Result):
        verdict = "skipped" if outcome.isSkipped else "failed"
        reason = f"{verdict}: {outcome.reason}"
        return [(measure.name, "", "", measure.unit, "", "", goal, reason)]
    change = changes.get(measure.name)
    verdict = "met" if outcome.isMet else "missed"
    rows = [
        (
            measure.name,
            _spread(outcome.ours),
            _spread(outcome.yardstick) if outcome.yardstick else "",
            measure.unit,
            f"{outcome.ratio:.2f}" if outcome.yardstick else "",
            "" if change is None else change.text(),
            goal,
            "measured" if measure.goal is None else verdict,
        )
    ]
    rows += [
        (f"  {name}", _spread(figures), "", "", "", "", "", "")
        for name, figures in outcome.details.items()
    ]
    return rows


def _goal(measure: Measure) -> str:
    if measure.goal is None:
        return "-"
    return f"{'<=' if measure.isLimit else '>='} {measure.goal:g}"


def _spread(figures: tuple[float, ...]) -> str:
    middle = median(figures)
    if len(figures) == 1:
        return f"{middle:.4g}"
    low, high = min(figures), max(figures)
    around = (high - low) / 2 / middle * 100 if middle else 0.0
    return f"{middle:.4g} ±{around:.0f} %"
