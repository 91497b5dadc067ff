"""
Measures and their results.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from os import mkfifo
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import INTERRUPTED, main, take
from benchmarks.comparison import compare, summary
from benchmarks.measures import Failure, Measure, NotMeasured, Outcome, Result
from benchmarks.resultsfile import read, write
from benchmarks.table import line, table
from benchmarks.workers import inProcess
from tests.project import fakemeasures
from tests.project.fakemeasures import HERE

MEASURE = Measure("x", "ours", "yardstick", 0.5, "us", size={"n": 10})
SPEED = Measure("speed", "ours", "yardstick", 0.5, "lines/s", isLimit=False)


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
    assert json.loads(line(result)) == {
        "name": "x",
        "ours": 2.0,
        "yardstick": 4.0,
        "ratio": 0.5,
        "unit": "us",
        "rounds": 3,
    }
    assert "met" in table([result], None)


@pytest.mark.long
def test_process() -> None:
    """
    A function runs in its own process, also one that starts a server.
    """

    def figure(function: str, size: dict[str, int]) -> float:
        reading = inProcess(function, size)
        assert isinstance(reading, float)
        return reading

    assert figure("benchmarks.irc.wireirc:ours", {"times": 10}) > 0
    assert figure("benchmarks.server.route:ours", {"messages": 20}) > 0
    assert figure("benchmarks.client.polls:ours", {"events": 2, "polls": 16}) > 0


def test_unknown(capfd: pytest.CaptureFixture[str]) -> None:
    """
    The error for an unknown measure lists the known ones.
    """
    assert main(["nothing"]) == 1
    assert "'nothing' is none of: poll-1, " in capfd.readouterr().err


@pytest.mark.long
def test_failing_measure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    A measure that fails is a row with its reason; the others are measured, and
    the exit code is 1.
    """
    path = tmp_path / "results.json"
    measures = [
        fakemeasures.measure("broken", "broken"),
        fakemeasures.measure("good", "one"),
        fakemeasures.measure("absent", "one", program="no-such-ircd"),
        fakemeasures.measure("plain", "several", yardstick="", goal=None, unit="s"),
    ]
    assert main(["--json", str(path)], measures) == 1
    output = capfd.readouterr().out
    reason = "ValueError: nobody has heard the message"
    assert json.loads(output.splitlines()[0]) == {
        "name": "broken",
        "failed": f"{HERE}:broken: {reason}",
    }
    rows = output.partition("measure  ")[2].splitlines()[1:6]
    assert [" ".join(row.split()) for row in rows] == [
        f"broken us <= 1 failed: {HERE}:broken: {reason}",
        "good 1 2 us 0.50 <= 1 met",
        "absent us <= 1 skipped: the program no-such-ircd is not installed",
        "plain 3 s - measured",
        "sign-ons 500",
    ]
    assert main(["--json", str(path)], measures[1:]) == 0


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("brokenWithReactor", "ValueError: nobody has heard the message"),
        ("ended", "exit code 3"),
        ("killed", "killed by signal 9"),
        ("nothing", "printed no figure"),
        ("missing", "has no attribute 'missing'"),
    ],
)
def test_failures(function: str, reason: str) -> None:
    """
    The cause is named when a process ends without a figure.
    """
    with pytest.raises(NotMeasured, match=reason):
        inProcess(f"{HERE}:{function}", {})


def test_folder() -> None:
    """
    The temporary files of a process that was killed are removed.
    """
    with pytest.raises(NotMeasured) as caught:
        inProcess(f"{HERE}:untidy", {})
    path = str(caught.value).split("'")[1]
    assert "txwebqq-bench-" in path
    assert not Path(path).exists()


def test_silence() -> None:
    """
    A process without a sign of life is ended with all that it has started.
    """
    with pytest.raises(NotMeasured, match=r"nothing happened for 0\.1 s"):
        inProcess(f"{HERE}:endless", {}, silence=0.1)


def test_exception() -> None:
    """
    An exception in the harness itself, and a yardstick of zero, fail the
    measure alone.
    """

    def explode(function: str, size: Mapping[str, Any]) -> float:
        raise OSError("too many\nprocesses")

    def zero(function: str, size: Mapping[str, Any]) -> float:
        return 0.0

    assert take(MEASURE, False, explode) == Failure(
        MEASURE, "OSError: too many processes"
    )
    assert take(MEASURE, False, zero) == Failure(MEASURE, "yardstick returned 0.0")


@pytest.fixture
def heeded() -> Iterator[None]:
    """
    Let processes heed SIGINT, which is ignored in the background of a shell.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.usefixtures("heeded")
def test_interrupt(number: signal.Signals, tmp_path: Path) -> None:
    """
    An interrupted run shows what was measured, and leaves no process behind,
    not even when it is killed itself.
    """
    fifo, path = tmp_path / "fifo", tmp_path / "results.json"
    mkfifo(fifo)
    argv = [sys.executable, "-m", HERE, str(fifo), "--json", str(path)]
    # A killed run leaves an empty folder behind.
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        with fifo.open("rb") as held:
            while b"never ends" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(number)
            # Until all processes that have opened it have ended.
            assert held.read() == b""
        output = process.stdout.read().decode()
    assert list(read(path).results) == ["first"]
    if number != signal.SIGKILL:
        assert process.returncode == INTERRUPTED
        assert "\nfirst    1     2" in output
        assert "Interrupted: endless" in output


def test_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    The file has all figures, and those of the machine, which are above the
    table as well; C{--compare} reads it.
    """
    path = tmp_path / "folder" / "results.json"
    measures = [fakemeasures.measure("good", "one", rounds=3)]
    assert main(["--json", str(path)], measures) == 0
    content = json.loads(path.read_text(encoding="utf-8"))
    [entry] = content["results"]
    assert entry["ours"] == [1.0] * 3
    assert entry["yardstick"] == [2.0] * 3
    assert {"CPU", "cores", "memory", "kernel", "Python", "Twisted", "treq"} <= set(
        content["machine"]
    )
    capfd.readouterr()
    other = tmp_path / "other.json"
    assert main(["--json", str(other), "--compare", str(path)], measures) == 0
    output = capfd.readouterr().out
    content = json.loads(other.read_text(encoding="utf-8"))
    above, _, below = output.partition("measure  ")
    for name in ("Python", "Twisted", "treq", "msgspec", "kernel", "load"):
        assert content["machine"][name] in above
    assert "0.50 x 1.00" in below
    assert "No measure has changed beyond the spread." in below


def test_comparison(tmp_path: Path) -> None:
    """
    A change counts when each round of one run is above each of the other, and
    better is what the goal wants.
    """
    other = Measure("other", "ours", "yardstick", 0.5, "us", size={"n": 1})
    path = tmp_path / "results.json"
    same, few = (Measure(name, "o", "y", 1.0, "us") for name in ("same", "few"))
    before = [
        Result(MEASURE, (5.0, 6.0, 7.0), (10.0,) * 3),
        Result(SPEED, (5.0, 6.0, 7.0), (10.0,) * 3),
        Result(same, (5.0, 6.0, 7.0), (10.0,) * 3),
        Result(few, (5.0,), (10.0,)),
        Result(other, (5.0,), (10.0,)),
    ]
    write(path, before, {}, False, "today")
    resized = Measure("other", "ours", "yardstick", 0.5, "us", size={"n": 2})
    now: list[Outcome] = [
        # The machine is twice as slow, and ours a third faster.
        Result(MEASURE, (8.0, 7.0, 9.0), (20.0,) * 3),
        Result(SPEED, (4.0, 4.5, 4.6), (10.0,) * 3),
        Result(same, (6.5, 8.0, 9.0), (10.0,) * 3),
        Result(few, (9.0,), (10.0,)),
        Result(resized, (5.0,), (10.0,)),
        Failure(Measure("failed", "o", "y", 1.0, "us"), "broken"),
    ]
    changes = compare(now, read(path))
    assert {name: change.text() for name, change in changes.items()} == {
        "x": "0.60 x 0.67 better",
        "speed": "0.60 x 0.75 worse",
        "same": "0.60 x 1.33",
        "few": "0.50 x 1.80 ?",
    }
    assert summary(now, changes).splitlines() == [
        "x is better beyond the spread: 0.6 before, 0.4 now.",
        "speed is worse beyond the spread: 0.6 before, 0.45 now.",
        "Fewer than 3 rounds, so the spread is unknown: few.",
        "Not in the earlier file, or there with another size: other.",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'"text"',
        b'{"format": "another"}',
        b'{"format": "txwebqq benchmarks, version 1", "results": 1}',
        (
            b'{"format": "txwebqq benchmarks, version 1", "quick": false,'
            b' "machine": {}, "results": [{"name": "x", "unit": "us",'
            b' "sizes": [{}, {}], "ours": ["a"], "yardstick": []}]}'
        ),
    ],
)
@pytest.mark.parametrize("option", ["--compare", "--json"])
def test_foreign_file(
    option: str, content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """
    A file of another kind is refused with one line, before any measure, and
    stays as it is.
    """
    path = tmp_path / "letter.txt"
    path.write_bytes(content)
    assert main([option, str(path)], [fakemeasures.measure("good", "one")]) == 1
    output = capfd.readouterr()
    assert output.err == f"{path} is no file of benchmark results.\n"
    assert output.out == ""
    assert path.read_bytes() == content


def test_missing_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    A file that does not exist, or cannot be, is named in one line.
    """
    (tmp_path / "file").touch()
    measures = [fakemeasures.measure("good", "one")]
    missing, below = tmp_path / "missing", tmp_path / "file" / "results"
    assert main(["--compare", str(missing)], measures) == 1
    assert main(["--json", str(below)], measures) == 1
    assert capfd.readouterr().err.splitlines() == [
        f"Cannot read {missing}: No such file or directory.",
        f"Cannot write {below}: permission denied, or no folder.",
    ]
