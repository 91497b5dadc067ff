"""
Listening sockets that the service manager passes on (sd_listen_fds(3)), as the
endpoints C{systemd:domain=INET:index=0} and C{systemd:domain=UNIX:name=NAME}.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from typing import Any

from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.internet.unix import Port

BACKLOG = 4096
"""The default of systemd: the number of connections that may wait to be accepted."""


class _InheritedSocket(socket.socket):
    """
    A listening socket that other processes have, too.
    """

    def bind(self, address: Any) -> None:
        """
        Do nothing: the socket is bound.
        """

    def shutdown(self, how: int) -> None:
        """
        Do nothing: the other processes go on listening.
        """


class InheritedUNIXPort(Port):
    """
    A port of a UNIX socket that another process has bound, and whose file stays when
    this process stops listening. (A port of C{adoptStreamPort} changes the mode of
    the file, and removes it.)

    @param fileDescriptor: the descriptor of the socket, of which a copy is used.
    """

    def __init__(
        self, fileDescriptor: int, factory: IProtocolFactory, reactor: Any
    ) -> None:
        self._inherited = _InheritedSocket(fileno=os.dup(fileDescriptor))
        self._inherited.setblocking(False)
        # Only the files of names that are not abstract are touched.
        super().__init__(b"\0inherited", factory, BACKLOG, reactor=reactor)

    def createInternetSocket(self) -> socket.socket:
        """
        Return the socket.
        """
        return self._inherited


def adoptUNIXPort(
    fileDescriptor: int, factory: IProtocolFactory, reactor: Any
) -> IListeningPort:
    """
    Listen at a UNIX socket that another process has bound.
    """
    port: Any = InheritedUNIXPort(fileDescriptor, factory, reactor)
    port.startListening()
    listening: IListeningPort = port
    return listening


# The descriptor is closed when its port listens, and may be another file's then.
@cache
def addressOf(fileDescriptor: int) -> tuple[socket.AddressFamily, str]:
    """
    Return the family of a listening socket, and its address: a host for TCP, else
    C{""}.

    @raise OSError: when the descriptor is none of a socket.
    """
    with socket.socket(fileno=os.dup(fileDescriptor)) as inherited:
        family = inherited.family
        isTCP = family in (socket.AF_INET, socket.AF_INET6)
        return family, inherited.getsockname()[0] if isTCP else ""
