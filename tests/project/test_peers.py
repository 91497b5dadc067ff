"""
Measures of other servers beside ours.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.measures import NotMeasured
from benchmarks.peers import run
from benchmarks.peers.measures import (
    Goal,
    Part,
    PeerMeasure,
    available,
    table,
)
from benchmarks.peers.plot import draw
from benchmarks.peers.processes import Missing, program, running

FIGURES = {
    "ours": [3.0, 1.0, 2.0],
    "quick": [9.0, 9.0, 9.0],
    "slow": [1.0, 1.0, 1.0],
}

MEASURE = PeerMeasure(
    "peers-x",
    "module:function",
    ("ours", "quick", "slow"),
    (
        Part("peers-x", "messages/s CPU", Goal("quick", isMore=True)),
        Part("peers-x-y", "us", Goal(limit=2.0)),
    ),
    size={"n": 10},
    quickSize={"n": 1},
)


class Runs:
    """
    Returns figures of servers instead of running them.
    """

    def __init__(self, failing: str = "") -> None:
        self.taken: list[tuple[str, int]] = []
        self._failing = failing

    def __call__(self, function: str, size: Mapping[str, Any]) -> dict[str, float]:
        peer = size["peer"]
        rounds = sum(each == peer for each, _ in self.taken)
        self.taken.append((peer, size["n"]))
        if peer == self._failing:
            raise NotMeasured("exit code 1")
        figure = FIGURES[peer][rounds]
        return {"": figure, "y": figure}


def test_turns() -> None:
    """
    The servers run in turn, and their medians are one line each.
    """
    runs = Runs()
    lines: list[str] = []
    peers = ["slow", "ours"]
    first, second = MEASURE.take(peers, False, runs, lines.append)
    assert runs.taken == [("ours", 10), ("slow", 10)] * 3
    assert json.loads(first.line()) == {
        "name": "peers-x",
        "ours": 2.0,
        "slow": 1.0,
        "unit": "messages/s CPU",
        "rounds": 3,
    }
    assert json.loads(second.line())["unit"] == "us"
    assert lines == []
    quick = Runs()
    MEASURE.take(peers, True, quick, lines.append)
    assert quick.taken == [("ours", 1), ("slow", 1)]


def test_table() -> None:
    """
    The last column of the table says whether the goal is met; servers that were
    not measured have a dash.
    """
    runs, lines = Runs(), list[str]()
    results = MEASURE.take(["ours", "quick"], False, runs, lines.append)
    assert table(results).splitlines() == [
        "measure    ours     quick   slow  unit            goal",
        "peers-x    2 ±50 %  9 ±0 %  -     messages/s CPU  ahead of quick: no",
        "peers-x-y  2 ±50 %  9 ±0 %  -     us              <= 2: met",
    ]


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Goal("slow", isMore=True), "ahead of slow: yes"),
        (Goal("slow"), "ahead of slow: no"),
        (Goal("quick"), "ahead of quick: yes"),
        (Goal("absent"), "ahead of absent: not measured"),
        (Goal(limit=1.9), "<= 1.9: missed"),
        (Goal(limit=2.0), "<= 2: met"),
    ],
)
def test_verdict(goal: Goal, verdict: str) -> None:
    """
    A goal compares medians, and greater or smaller ones are ahead.
    """
    assert goal.verdict(FIGURES) == verdict


def test_withoutOurs() -> None:
    """
    Without a figure of ours there is no verdict.
    """
    assert Goal("slow").verdict({"slow": [1.0]}) == "ahead of slow: not measured"
    assert Goal(limit=1.0).verdict({"slow": [1.0]}) == "<= 1: not measured"


def test_failed() -> None:
    """
    A server that fails is reported once and is not measured again; the others are.
    """
    runs, lines = Runs("slow"), list[str]()
    first, _ = MEASURE.take(["ours", "slow"], False, runs, lines.append)
    assert lines == ["peers-x: slow failed: exit code 1"]
    assert [peer for peer, _ in runs.taken] == ["ours", "slow", "ours", "ours"]
    assert set(first.figures) == {"ours"}


def test_missing() -> None:
    """
    A server that is not installed is skipped, with one line that names its package.
    """
    lines: list[str] = []

    def absent() -> None:
        program("no-such-program", "no-such-package")

    assert available({"ours": str, "absent": absent}, lines.append) == ["ours"]
    assert lines == [
        "no-such-program is skipped: install the Debian package no-such-package"
    ]
    with pytest.raises(Missing):
        absent()


def test_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Unknown measures and servers are answered with the known ones.
    """
    assert main(["peers-nothing"]) == 1
    assert "'peers-nothing' is none of: peers-messages, " in capfd.readouterr().err
    assert main(["peers-messages", "--only", "nobody"]) == 1
    assert "'nobody' is none of: ours, " in capfd.readouterr().err


def test_unknownBeside(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Every name has to be known, and only names tell that other servers are
    measured: the file for the results may be named as they are.
    """
    assert main(["peers-line", "poll-1"]) == 1
    assert "'poll-1' is none of: peers-messages, " in capfd.readouterr().err
    assert main(["--json", "peers.json", "nothing"]) == 1
    assert "'nothing' is none of: poll-1, " in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["poll-1", "--only", "ours"])


def test_exitCode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    The exit code is 1 when a server could not be measured.
    """

    def fail(function: str, size: Mapping[str, Any]) -> float:
        raise NotMeasured("exit code 1")

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for measured, code in ((fail, 1), (lambda function, size: 5.0, 0)):
        monkeypatch.setattr(run, "inProcess", measured)
        assert main(["peers-line", "--only", "ours"]) == code


def test_processes(tmp_path: Path) -> None:
    """
    A server is measured and ended with its children.
    """
    script = (
        "import subprocess, sys; from pathlib import Path\n"
        "one = subprocess.Popen(['sleep', '600'])\n"
        "Path('ready').touch(); one.wait()\n"
    )
    with running([sys.executable, "-c", script], tmp_path) as server:
        server.awaitFile(tmp_path / "ready")
        pids = server.pids()
        assert len(pids) == 2
        assert server.cpu() > 0
        rss, share = server.memory()
        assert rss >= share > 0
    for pid in pids:
        # Where nobody waits for orphans, they stay as zombies.
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or ") Z " in stat.read_text()


def test_endedEarly(tmp_path: Path) -> None:
    """
    The error for a server that ends by itself shows the end of its output.
    """
    script = "print('no such option')"
    with (
        pytest.raises(SystemExit, match="no such option"),
        running([sys.executable, "-c", script], tmp_path) as server,
    ):
        server.awaitFile(tmp_path / "ready")


def test_curves() -> None:
    """
    The drawing has a curve for each server, also for one that lacks a point.
    """
    lines = [
        '{"name": "curve-group-10", "ours": 3.0, "slow": 9.0, "unit": "us"}',
        '{"name": "curve-group-100", "ours": 2.0, "unit": "us"}',
        "",
        "a table",
    ]
    image = draw(lines)
    assert image.count("round") == 3
    assert ">slow</text>" in image
    assert "members of the group" in image
