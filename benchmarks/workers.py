"""
Processes that run one function of a measure each. With such a process, all that
it has started ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from benchmarks.measures import NotMeasured, Reading

SILENCE = 900.0
"""Seconds within which a function has to end, or to write a line to stderr."""


def inProcess(
    function: str, size: Mapping[str, Any], silence: float = SILENCE
) -> Reading:
    """
    Run a function in a new process and return its reading. Its stderr is passed
    on.

    @param function: as C{module:function}.
    @param silence: the seconds within which the process has to end, or to write
        to stderr. The time that it takes altogether has no limit, as machines
        differ.

    @raise NotMeasured: when the process ends without a reading.
    """
    argv = [sys.executable, "-m", "benchmarks.work", function, json.dumps(dict(size))]
    with (
        # A process that is killed does not remove its temporary files.
        tempfile.TemporaryDirectory(
            prefix="txwebqq-bench-", ignore_cleanup_errors=True
        ) as folder,
        tempfile.TemporaryFile() as output,
        # The process reads its stdin to notice the end of this one, and is the
        # leader of a process group, to which all that it starts belongs.
        subprocess.Popen(
            [*argv, "--watched"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.PIPE,
            env={**os.environ, "TMPDIR": folder},
            start_new_session=True,
        ) as process,
    ):
        try:
            said = _follow(process, silence)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        output.seek(0)
        return _reading(function, code, output.read(), said)


def _follow(process: subprocess.Popen[bytes], silence: float) -> str:
    """
    Pass on what a process writes to stderr until its end. The process stays a
    zombie, whose number no other process gets.

    @return: the last line of it.
    """
    assert process.stderr is not None
    stderr, ended = process.stderr.fileno(), os.pidfd_open(process.pid)
    tail, watched, deadline = b"", [stderr, ended], time.monotonic() + silence
    try:
        while True:
            left = max(0.0, deadline - time.monotonic())
            readable = select.select(watched, [], [], left)[0]
            if not readable:
                raise NotMeasured(f"nothing happened for {silence:g} s")
            if stderr not in readable:
                return tail.decode("utf-8", "replace").strip().rpartition("\n")[2]
            data = os.read(stderr, 1 << 16)
            if not data:
                watched.remove(stderr)
                continue
            deadline = time.monotonic() + silence
            os.write(2, data)
            tail = (tail + data)[-2000:]
    finally:
        os.close(ended)


def _reading(function: str, code: int, output: bytes, said: str) -> Reading:
    if code < 0:
        raise NotMeasured(f"{function}: killed by signal {-code} after {said!r}")
    if code:
        raise NotMeasured(f"{function}: {said or f'exit code {code}'}")
    try:
        reading = json.loads(output.splitlines()[-1])
        if isinstance(reading, dict) and reading:
            return {str(name): float(figure) for name, figure in reading.items()}
        return float(reading)
    except (IndexError, ValueError, TypeError) as e:
        raise NotMeasured(f"{function} printed no figure") from e
