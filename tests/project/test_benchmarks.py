"""
Measures and their results.
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
    Ours and the yardstick run in turn, each with its own sizes.
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
    The ratio is that of the medians, and the goal is a maximum or a minimum.
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
    A function runs in its own process, also one that starts a server.
    """
    assert inProcess("benchmarks.irc.wireirc:ours", {"times": 10}) > 0
    assert inProcess("benchmarks.server.route:ours", {"messages": 20}) > 0
    assert inProcess("benchmarks.client.polls:ours", {"events": 2, "polls": 16}) > 0


def test_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    """
    The error for an unknown measure lists the known ones.
    """
    assert main(["nothing"]) == 1
    assert "'nothing' is none of: poll-1, " in capfd.readouterr().err
