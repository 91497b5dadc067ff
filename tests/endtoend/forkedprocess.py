"""
The transport of a daemon of the fork server, as C{reactor.spawnProcess} makes it for
other processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.interfaces import IProcessProtocol
from twisted.internet.process import ProcessReader
from twisted.python.failure import Failure

from tests.endtoend.forkserver import fork

_OUTPUT, _STATUS = 1, 3


class ForkedProcess:
    """
    A daemon that has no input.

    @ivar pid: the id of its process.
    """

    def __init__(
        self,
        protocol: IProcessProtocol,
        argv: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._protocol = protocol
        self._status = b""
        forked = fork(argv, folder, environment)
        self.pid = forked.pid
        self._open = {_OUTPUT, _STATUS}
        # It has those methods of a transport that the tests call.
        transport: Any = self
        protocol.makeConnection(transport)
        ProcessReader(reactor, self, _OUTPUT, forked.output)
        ProcessReader(reactor, self, _STATUS, forked.status)

    def signalProcess(self, number: int) -> None:
        """
        Send a signal, if the process has not ended.
        """
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def childDataReceived(self, descriptor: int, data: bytes) -> None:
        if descriptor == _STATUS:
            self._status += data
        else:
            self._protocol.childDataReceived(descriptor, data)

    def childConnectionLost(self, descriptor: int, reason: Failure) -> None:
        self._open.remove(descriptor)
        # A reactor that stops ends the reading, and the process may still run.
        if self._open or not self._status:
            return
        code = int(self._status)
        if code == 0:
            ended: Exception = ProcessDone(0)
        elif code > 0:
            ended = ProcessTerminated(code)
        else:
            ended = ProcessTerminated(signal=-code)
        self._protocol.processEnded(Failure(ended))
