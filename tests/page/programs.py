"""
Processes for tests that wait without the reactor, as those in a browser do.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Self

from tests.endtoend import daemons
from tests.endtoend.daemons import PATIENCE
from tests.endtoend.forkserver import fork

TWISTD = (str(daemons.TWISTD), "-n", "--pidfile=")


class _Forked:
    """
    A daemon of the fork server, with those methods of C{subprocess.Popen} that are
    called here.
    """

    def __init__(self, argv: Sequence[str], folder: Path) -> None:
        self._pid, output, status = fork(argv, folder, os.environ)
        self.stdout = os.fdopen(output, "rb")
        self._status = os.fdopen(status, "rb")

    def send_signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._pid, number)

    def wait(self, timeout: float) -> None:
        with self._status:
            if not select.select([self._status], [], [], timeout)[0]:
                raise AssertionError(f"process {self._pid} does not end")


class Program:
    """
    A process, which can be killed and started again. As a context manager it runs
    until the end of the block.

    @param folder: where its output is kept.
    @param name: the name of the file of the output, without C{.log}.
    @param ready: the words of the output that tell that it is ready, when all of them
        were put out.
    @param directory: the working directory, if not the folder.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        ready: Sequence[str],
        *argv: str,
        directory: Path | None = None,
    ) -> None:
        self.folder = folder
        self._file = folder / f"{name}.log"
        self._directory = directory or folder
        self._ready = ready
        self._argv = argv
        self._process: subprocess.Popen[bytes] | _Forked | None = None

    def start(self) -> None:
        """
        Start it, and wait until it is ready.
        """
        process: subprocess.Popen[bytes] | _Forked
        if self._argv[: len(TWISTD)] == TWISTD:
            process = _Forked(self._argv, self._directory)
        else:
            process = subprocess.Popen(
                self._argv,
                cwd=self._directory,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
        self._process = process
        assert process.stdout is not None
        answer: SimpleQueue[bool] = SimpleQueue()
        Thread(target=self._keep, args=(process.stdout, answer), daemon=True).start()
        try:
            isReady = answer.get(timeout=PATIENCE)
        except Empty:
            isReady = False
        if not isReady:
            self.end(signal.SIGKILL)
            raise AssertionError(f"{self._argv[0]} is not ready:\n{self.log}")

    def _keep(self, output: IO[bytes], answer: SimpleQueue[bool]) -> None:
        """
        Write the output of a process to the log, and answer whether it is ready.
        """
        missing = {words.encode() for words in self._ready}
        with output, self._file.open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                missing -= {words for words in missing if words in line}
                if not missing:
                    answer.put(True)
        answer.put(False)

    @property
    def log(self) -> str:
        return self._file.read_text(encoding="utf-8")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """
        End the process, if it runs, and wait for that.
        """
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(PATIENCE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()
