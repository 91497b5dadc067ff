"""
Measures that take no time, fail or never end: C{python -m
tests.project.fakemeasures} runs them as C{python -m benchmarks} runs the real
ones.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.__main__ import start
from benchmarks.measures import Measure

HERE = "tests.project.fakemeasures"


def one() -> float:
    return 1.0


def two() -> float:
    return 2.0


def several() -> dict[str, float]:
    return {"seconds": 3.0, "sign-ons": 500.0}


def broken() -> float:
    raise ValueError("nobody has heard the message")


async def brokenWithReactor(reactor: Any) -> float:
    raise ValueError("nobody has heard the message")


def ended() -> float:
    os._exit(3)


def killed() -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def untidy() -> float:
    """
    Be killed with a file left behind.
    """
    sys.stderr.write(tempfile.mkstemp()[1])
    sys.stderr.flush()
    return killed()


def nothing() -> None:
    pass


def zero() -> float:
    return 0.0


def endless(fifo: str = os.devnull) -> float:
    """
    Start a process that never ends, and never end.

    @param fifo: what both hold open for writing.
    """
    path = Path(fifo)
    with path.open("wb"):
        # A child of the child too, as a daemon that a measure starts may have.
        argv = [sys.executable, "-c", "import signal; signal.pause()"]
        shell = ["/bin/sh", "-c", '"$@" & wait', "sh", *argv]
        with path.open("wb") as held, subprocess.Popen(shell, stdout=held):
            sys.stderr.write("never ends\n")
            sys.stderr.flush()
            signal.pause()
    return 0.0


def measure(name: str, ours: str, **more: Any) -> Measure:
    """
    Make a measure of functions in this module.
    """
    fields: dict[str, Any] = {
        "yardstick": f"{HERE}:two",
        "goal": 1.0,
        "unit": "us",
        "rounds": 1,
    }
    return Measure(name, f"{HERE}:{ours}", **{**fields, **more})


if __name__ == "__main__":
    fifo = sys.argv.pop(1)
    start(
        [
            measure("first", "one"),
            measure("endless", "endless", size={"fifo": fifo}, yardstick=""),
            measure("last", "one"),
        ]
    )
