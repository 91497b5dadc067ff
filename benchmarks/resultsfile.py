"""
Files with the results of a run, in JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measures import Outcome, Result

FORMAT = "txwebqq benchmarks, version 1"


class UnusableFile(Exception):
    """
    A file that cannot be read or written. The text is one line for the user.
    """


@dataclass(frozen=True)
class EarlierResult:
    """
    The result of a measure in a file.

    @ivar sizes: the arguments of ours and those of the yardstick.
    """

    unit: str
    sizes: tuple[dict[str, Any], dict[str, Any]]
    ours: tuple[float, ...]
    yardstick: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """
        The median of ours, divided by that of the yardstick, or by 1 without
        one.
        """
        return median(self.ours) / (median(self.yardstick) if self.yardstick else 1.0)


@dataclass(frozen=True)
class Earlier:
    """
    An earlier run, as read from a file.

    @ivar machine: its description, as L{benchmarks.machine.describe} made it.
    @ivar results: the measures with a figure, by name.
    """

    isQuick: bool
    machine: dict[str, str]
    results: dict[str, EarlierResult]


def write(
    path: Path,
    outcomes: Sequence[Outcome],
    machine: Mapping[str, str],
    isQuick: bool,
    date: str,
) -> None:
    """
    Write the results of a run.

    @raise UnusableFile: when that fails.
    """
    content = {
        "format": FORMAT,
        "date": date,
        "quick": isQuick,
        "machine": dict(machine),
        "results": [_entry(outcome, isQuick) for outcome in outcomes],
    }
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as e:
        raise UnusableFile(f"Cannot write {path}: {e.strerror}.") from e


def _entry(outcome: Outcome, isQuick: bool) -> dict[str, Any]:
    measure = outcome.measure
    entry: dict[str, Any] = {
        "name": measure.name,
        "unit": measure.unit,
        "goal": measure.goal,
        "isLimit": measure.isLimit,
        "sizes": list(measure.sizes(isQuick)),
    }
    if not isinstance(outcome, Result):
        entry["skipped" if outcome.isSkipped else "failed"] = outcome.reason
        return entry
    entry |= {"ours": list(outcome.ours), "yardstick": list(outcome.yardstick)}
    entry["ratio"] = outcome.ratio
    entry["details"] = {name: list(some) for name, some in outcome.details.items()}
    return entry


def read(path: Path) -> Earlier:
    """
    Read the results of an earlier run.

    @raise UnusableFile: when there are none in the file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as e:
        raise UnusableFile(f"Cannot read {path}: {e.strerror}.") from e
    except UnicodeDecodeError as e:
        raise UnusableFile(f"{path} is no file of benchmark results.") from e
    try:
        content = json.loads(text)
        if content["format"] != FORMAT:
            raise ValueError
        results = {
            entry["name"]: EarlierResult(
                str(entry["unit"]),
                _sizes(entry["sizes"]),
                _figures(entry["ours"]),
                _figures(entry["yardstick"]),
            )
            for entry in content["results"]
            if "ours" in entry
        }
        machine = {str(key): str(value) for key, value in content["machine"].items()}
        for result in results.values():
            if not result.ours or len(result.yardstick) not in (0, len(result.ours)):
                raise ValueError
        return Earlier(bool(content["quick"]), machine, results)
    # The JSON may have any shape.
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise UnusableFile(f"{path} is no file of benchmark results.") from e


def _sizes(value: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    ours, yardstick = value
    return dict(ours), dict(yardstick)


def _figures(value: Any) -> tuple[float, ...]:
    figures = tuple(float(figure) for figure in value)
    if not all(figure > 0 for figure in figures):
        raise ValueError
    return figures


def checkWritable(path: Path) -> None:
    """
    Check that results can be written to a file, before an hour is spent on
    them.

    @raise UnusableFile: when they cannot, or the file is of another kind.
    """
    if path.exists():
        read(path)
    place = path if path.exists() else path.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    if (place != path and not place.is_dir()) or not os.access(place, os.W_OK):
        raise UnusableFile(f"Cannot write {path}: permission denied, or no folder.")
