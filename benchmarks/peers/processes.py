"""
Processes of servers: each in a folder of its own, on ports of its own, with what
they cost, and ended with all of their children.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.processes import FILES, cpuOf, find

PATIENCE = 120.0
"""Seconds within which a server has to listen."""


class Missing(Exception):
    """
    A program is not installed.
    """

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"{name} is skipped: install the Debian package {package}")


def program(name: str, package: str) -> str:
    """
    Return the path of a program.

    @raise Missing: when it is not installed.
    """
    path = find(name)
    if path is None:
        raise Missing(name, package)
    return path


@contextmanager
def temporaryFolder() -> Iterator[Path]:
    """
    Make a folder that exists during a C{with} block.
    """
    folder = Path(tempfile.mkdtemp(prefix="txwebqq-peers-"))
    # A server may run as another user.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ServerProcess:
    """
    A running server: a process and its children.

    @ivar pid: the process id of the parent.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.pid = process.pid
        self._process = process
        self._log = log

    def pids(self) -> list[int]:
        """
        Return the ids of the process and of all its descendants.
        """
        parents: dict[int, list[int]] = {}
        for each in Path("/proc").iterdir():
            if not each.name.isdigit():
                continue
            with suppress(OSError):
                parents.setdefault(_parentOf(each), []).append(int(each.name))
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += parents.get(pid, [])
        return found

    def cpu(self) -> float:
        """
        Return the user and system time that all processes have used, in seconds.
        """
        used = 0.0
        for pid in self.pids():
            with suppress(OSError):
                used += cpuOf(pid)
        return used

    def memory(self) -> tuple[float, float]:
        """
        Return RSS of all processes, and their proportional share of it (PSS), in
        KiB.
        """
        rss = share = 0.0
        for pid in self.pids():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            for line in text.splitlines():
                if line.startswith("Rss:"):
                    rss += float(line.split()[1])
                elif line.startswith("Pss:"):
                    share += float(line.split()[1])
        return rss, share

    def awaitPort(self, port: int) -> None:
        """
        Wait until the server accepts connections.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            self._checkRunning()
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
            except OSError:
                self._pause(deadline, f"listens on port {port}")
            else:
                return

    def awaitFile(self, path: Path) -> None:
        """
        Wait until the server has written a file.
        """
        deadline = time.monotonic() + PATIENCE
        while not path.exists():
            self._checkRunning()
            self._pause(deadline, f"has written {path.name}")

    def _pause(self, deadline: float, wanted: str) -> None:
        if time.monotonic() > deadline:
            raise SystemExit(f"{self._tail()}\nno server {wanted}")
        time.sleep(0.05)

    def _checkRunning(self) -> None:
        if self._process.poll() is not None:
            raise SystemExit(f"{self._tail()}\nthe server has ended")

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-20:])

    def awaitEnd(self) -> None:
        """
        Wait until the process has ended by itself.
        """
        self._process.wait(PATIENCE)

    def stop(self) -> None:
        """
        End all processes, at once: their folder is removed anyway.
        """
        pids = self.pids()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + PATIENCE
        while any(map(_isRunning, pids)) and time.monotonic() < deadline:
            time.sleep(0.01)


@contextmanager
def running(
    argv: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Iterator[ServerProcess]:
    """
    Run a server during a C{with} block. It belongs to the process group of this
    process, with which it ends.

    @param folder: its working directory; the output goes to a file in it.
    @param environment: more environment variables.
    @param user: the user to whom it and the folder belong, when this one is root.
    """
    if os.geteuid():
        user = None
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)
        for parent in folder.parents:
            if parent.name.startswith("txwebqq-"):
                # That of the whole measure, which only root may enter.
                parent.chmod(0o711)
    # A server inherits it.
    _raiseDescriptorLimit()
    log = folder / f"{Path(argv[0]).name}.output"
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env={**os.environ, "HOME": str(folder), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
        )
    server = ServerProcess(process, log)
    try:
        yield server
    finally:
        server.stop()


def _raiseDescriptorLimit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _parentOf(folder: Path) -> int:
    text = (folder / "stat").read_text(errors="replace")
    # The name, in parentheses, may hold any characters.
    return int(text.rpartition(")")[2].split()[1])


def _isRunning(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    # Where nobody waits for orphans, they stay as zombies.
    return text.rpartition(")")[2].split()[0] != "Z"
