"""
Processes of measures: their start and end, CPU time and memory.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0
"""Seconds within which a program has to listen."""

FILES = 20_000
"""Number of file descriptors that the largest measures need."""


@dataclass(frozen=True)
class Running:
    """
    A server process.
    """

    pid: int
    port: int

    @property
    def url(self) -> str:
        """
        The URL of the server, without a path.
        """
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """
        Return the CPU time that the server has used, in seconds.
        """
        return cpuOf(self.pid)

    def memory(self) -> float:
        """
        Return the memory of the server (C{VmRSS}), in KiB.
        """
        return memoryOf(self.pid)


def memoryOf(pid: int) -> float:
    """
    Return the memory of a process (C{VmRSS}), in KiB.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0])


def cpuOf(pid: int) -> float:
    """
    Return the CPU time of a process with its threads, in seconds.
    """
    # The first figure is in nanoseconds, while /proc/PID/stat counts ticks.
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def allowFiles(count: int = FILES) -> None:
    """
    Allow this process to open C{count} file descriptors, or exit with a message
    when the system does not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return
    if hard < count:
        raise SystemExit(
            f"This measure opens up to {count} descriptors, and {hard} are allowed:"
            " see 'Descriptors' in docs/benchmarks.md."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


@contextmanager
def child(argv: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """
    Run a program during a C{with} block.

    @param options: of C{Popen}.
    """
    with subprocess.Popen(argv, **options) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def daemon(argv: Sequence[str], port: int, **options: Any) -> Iterator[Running]:
    """
    Run a program that listens on a port during a C{with} block, which begins
    when it listens.

    @param options: of C{Popen}.
    """
    options = {"stdout": subprocess.DEVNULL, **options}
    with child(argv, **options) as process:
        end = time.monotonic() + PATIENCE
        while not isListening(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{argv[0]} does not listen on port {port}")
            time.sleep(0.05)
        yield Running(process.pid, port)


def isListening(port: int) -> bool:
    """
    Tell whether a program accepts connections on a port.
    """
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def freePort() -> int:
    """
    Return a port on which no program listens.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find(program: str) -> str | None:
    """
    Return the path of a program, also of one for administrators; L{None} when it
    is not installed.
    """
    path = os.environ.get("PATH", os.defpath)
    return shutil.which(program, path=f"{path}:/usr/local/sbin:/usr/sbin")
