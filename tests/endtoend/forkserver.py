"""
A process that has imported the modules of the daemons, and forks a daemon at each
request: most of a second of processor time that each start of C{twistd} takes is the
import of its modules.

The daemon is a process of its own, with the arguments, folder, environment and output
that C{twistd} would have. Its parent is a process that waits for its end only, and
tells it the tests.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

MODULES = (
    "twisted.internet.epollreactor",
    "twisted.scripts.twistd",
    "twisted.plugins.txwebqq_plugins",
    "txwebqq.commands.tap",
    "txwebqq.commands.onebottap",
    "txwebqq.irc.tap",
    "txwebqq.server.tap",
)
"""The modules that daemons import, without those that import the reactor."""

_LARGEST = 100_000
"""Bytes of a request, at most."""

_DIGITS = 10
"""Bytes of the id of a process, which comes before its exit code."""


class ForkServer:
    """
    The process, which ends with this one.
    """

    def __init__(self) -> None:
        self._requests, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            # Pipes, as the daemons have, since Python looks at their kind once.
            self._process = subprocess.Popen(
                (sys.executable, "-u", "-m", __spec__.name, str(its.fileno())),
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(its.fileno(),),
            )
        atexit.register(self.stop)

    def request(self, request: bytes, descriptors: Sequence[int]) -> None:
        """
        Send a request with the descriptors for it.
        """
        socket.send_fds(self._requests, [request], descriptors)

    def stop(self) -> bytes:
        """
        End the process.

        @return: what it has put out, which is nothing when there was no error.
        """
        self._requests.close()
        return self._process.communicate()[0]


forkServer = cache(ForkServer)
"""The process that all tests use, started for the first of them."""


class Forked(NamedTuple):
    """
    A daemon.

    @ivar pid: the id of its process.
    @ivar output: a descriptor of what it puts out.
    @ivar status: a descriptor from which the exit code can be read when it has ended,
        or the negative number of the signal that ended it.
    """

    pid: int
    output: int
    status: int


def fork(argv: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Forked:
    """
    Start a daemon, which has no input.

    @param argv: the arguments of C{twistd}, with its path.
    @param folder: its working directory.
    """
    request = json.dumps([argv, str(folder), dict(environment)]).encode()
    output, written = os.pipe()
    status, told = os.pipe()
    try:
        # When it has ended, nothing comes.
        with suppress(BrokenPipeError):
            forkServer().request(request, [written, told])
    finally:
        os.close(written)
        os.close(told)
    number = os.read(status, _DIGITS)
    if not number:
        os.close(output)
        os.close(status)
        error = forkServer().stop().decode()
        raise ChildProcessError(f"no process was forked for {argv}:\n{error}")
    return Forked(int(number), output, status)


def _serve(requests: socket.socket) -> None:
    """
    Take requests; returns in each daemon, and when there are no more of them.
    """
    # Nobody waits for the processes that wait.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(requests, _LARGEST, 2)
        if not request:
            sys.exit()
        if not os.fork():
            break
        for descriptor in descriptors:
            os.close(descriptor)
    requests.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output, status = descriptors
    daemon = os.fork()
    if daemon:
        for descriptor in (0, 1, 2, output):
            os.close(descriptor)
        try:
            os.write(status, b"%*d" % (_DIGITS, daemon))
            code = os.waitstatus_to_exitcode(os.waitpid(daemon, 0)[1])
            os.write(status, b"%d" % code)
        finally:
            os._exit(0)
    os.close(status)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, number)
    os.close(nothing)
    os.close(output)
    sys.argv, folder, environment = json.loads(request)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _main(descriptor: int) -> None:
    for module in MODULES:
        importlib.import_module(module)
    if "twisted.internet.reactor" in sys.modules:
        raise ImportError("one of the modules has imported the reactor")
    gc.collect()
    # The collector would write to the memory that the daemons share.
    gc.freeze()
    _serve(socket.socket(fileno=descriptor))
    from twisted.scripts.twistd import run

    # As for a script, the folder of the program comes first.
    sys.path[0] = str(Path(sys.argv[0]).parent)
    run()


if __name__ == "__main__":
    _main(int(sys.argv[1]))
