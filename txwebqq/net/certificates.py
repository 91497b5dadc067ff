"""
Server certificates that are read again when their files have changed.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakSet

from OpenSSL import SSL
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from zope.interface import implementer

from txwebqq.systemd.sockets import adoptUNIXPort

OLDEST = SSL.TLS1_2_VERSION
"""The oldest version of TLS that servers accept, also with an C{sslmethod} of their
endpoint."""

FILES = ("privateKey", "certKey", "extraCertChain", "dhParameters")
"""The arguments of an C{ssl:} endpoint that name files."""


def filesOf(endpoint: str) -> list[str]:
    """
    Return the files that a text for L{serverFromString} with C{ssl:} names.
    """
    files = {}
    for part in re.split(r"(?<!\\):", endpoint):
        name, equals, value = part.partition("=")
        if equals and name in FILES:
            files[name] = re.sub(r"\\(.)", r"\1", value)
    # The default of the private key's file.
    return [files.pop("privateKey", "server.pem"), *files.values()]


_reloaders: WeakSet[CertificateReloader] = WeakSet()


def readCertificates() -> None:
    """
    Read all certificates of this process whose files have changed, before the next
    connection comes.
    """
    for each in list(_reloaders):
        each.readAgain()


@implementer(IOpenSSLServerConnectionCreator)
class CertificateReloader:
    """
    Creates the TLS connections of an C{ssl:} endpoint, of version 1.2 or newer. It
    reads the certificate again for the first connection after one of the files has
    changed; while the new files cannot be used, the former certificate stays.

    @param current: the context factory with the present certificate.
    """

    _log = Logger()

    def __init__(self, endpoint: str, current: Any) -> None:
        self._endpoint = endpoint
        self._current = _withoutOldVersions(current)
        self._files = filesOf(endpoint)
        self._state = self._fileState()
        _reloaders.add(self)

    def readAgain(self) -> None:
        """
        Read the certificate if its files have changed.
        """
        state = self._fileState()
        if state != self._state:
            self._state = state
            self._read()

    def _fileState(self) -> Sequence[tuple[int, int, int] | None]:
        return [fileState(file) for file in self._files]

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """
        Create the TLS state of one connection.
        """
        self.readAgain()
        return SSL.Connection(self._current.getContext(), None)

    def _read(self) -> None:
        reader = _CertificateReader()
        try:
            serverFromString(reader, self._endpoint).listen(Factory())
            current = _withoutOldVersions(reader.contextFactory)
        # OpenSSL, the endpoints and the file system each have their own errors.
        except Exception as e:
            self._log.warn(
                "Reading the new certificate failed ({files}): {reason}; the former"
                " one is used until the files change again.",
                files=", ".join(self._files),
                reason=str(e) or type(e).__name__,
            )
            return
        self._current = current
        self._log.info("Read the new certificate ({files}).", files=self._files[0])


def _withoutOldVersions(contextFactory: Any) -> Any:
    """
    Set the oldest version of a context that has had no connection yet.
    """
    contextFactory.getContext().set_min_proto_version(OLDEST)
    return contextFactory


class _CertificateReader:
    """
    In the place of a reactor: keeps the context factory of an endpoint instead
    of listening.
    """

    contextFactory: Any = None

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, *args: Any, **others: Any
    ) -> None:
        """
        Keep the context factory.
        """
        self.contextFactory = contextFactory


class ReloadingReactor:
    """
    A reactor whose TLS servers read their certificates again when the files
    have changed, and which leaves the files of inherited UNIX sockets alone.

    @param endpoint: the text of the endpoint that listens with it.
    """

    def __init__(self, reactor: Any, endpoint: str) -> None:
        self._reactor = reactor
        self._endpoint = endpoint

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenSSL(
        self, port: int, factory: Any, contextFactory: Any, *args: Any, **others: Any
    ) -> Any:
        """
        Listen with a L{CertificateReloader}.
        """
        reloader = CertificateReloader(self._endpoint, contextFactory)
        return self._reactor.listenSSL(port, factory, reloader, *args, **others)

    def adoptStreamPort(
        self, fileDescriptor: int, addressFamily: int, factory: Any
    ) -> Any:
        """
        Listen at a socket that another process has bound.
        """
        if addressFamily == socket.AF_UNIX:
            return adoptUNIXPort(fileDescriptor, factory, self._reactor)
        return self._reactor.adoptStreamPort(fileDescriptor, addressFamily, factory)


def fileState(file: str) -> tuple[int, int, int] | None:
    """
    Return values that differ when a file has changed; L{None} if there is no such
    file.
    """
    try:
        found = Path(file).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
