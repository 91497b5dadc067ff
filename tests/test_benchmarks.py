"""
What is measured is worked out and shown as it should be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.measures import Measure, Result, inProcess, table

MEASURE = Measure("x", "ours", "yardstick", 0.5, "us", size={"n": 10})


def test_turns() -> None:
    """
    Both sides are taken in turn, with the sizes that are theirs.
    """
    taken: list[tuple[str, dict[str, Any]]] = []

    def run(function: str, size: Mapping[str, Any]) -> float:
        taken.append((function, dict(size)))
        return 1.0

    measure = Measure(
        "x",
        "ours",
        "yardstick",
        0.5,
        "us",
        size={"n": 10, "m": 1},
        quickSize={"n": 2},
        yardstickSize={"n": 5},
        quickYardstickSize={"n": 1},
        rounds=2,
    )
    measure.take(False, run)
    ours, yardstick = ("ours", {"n": 10, "m": 1}), ("yardstick", {"n": 5, "m": 1})
    assert taken == [ours, yardstick] * 2
    taken.clear()
    measure.take(True, run)
    assert taken[:2] == [("ours", {"n": 2, "m": 1}), ("yardstick", {"n": 1, "m": 1})]


def test_ratio() -> None:
    """
    Medians are compared, and the goal is the most or the least.
    """
    result = Result(MEASURE, (1.0, 9.0, 2.0), (4.0, 5.0, 1.0))
    assert result.ratio == 0.5
    assert result.isMet
    assert not Result(MEASURE, (3.0,), (4.0,)).isMet
    least = Measure("x", "ours", "yardstick", 0.5, "us", isLimit=False)
    assert Result(least, (3.0,), (4.0,)).isMet
    assert not Result(least, (1.0,), (4.0,)).isMet
    assert json.loads(result.line()) == {
        "name": "x",
        "ours": 2.0,
        "yardstick": 4.0,
        "ratio": 0.5,
        "unit": "us",
        "rounds": 3,
    }
    assert "met" in table([result])


def test_process() -> None:
    """
    A side runs in a process of its own, one that asks a server too.
    """
    assert inProcess("benchmarks.wireirc:ours", {"times": 10}) > 0
    assert inProcess("benchmarks.route:ours", {"messages": 20}) > 0
    assert inProcess("benchmarks.polls:ours", {"events": 2, "polls": 16}) > 0


def test_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    """
    A measure that there is not is named, with those that there are.
    """
    assert main(["nothing"]) == 1
    assert "'nothing' is none of: poll-1, " in capfd.readouterr().err
