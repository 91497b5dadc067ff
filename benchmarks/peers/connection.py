"""
An HTTP/1.1 connection that is kept open, with blocking sockets.
"""

from __future__ import annotations

import select
import socket

TIMEOUT = 120.0
"""Seconds to wait for a reply."""


class HTTPConnection:
    """
    A connection for requests one after the other.

    @param contentType: the C{Content-Type} of the bodies sent.

    @ivar headers: the head of the last reply.
    """

    def __init__(self, port: int, contentType: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._contentType = contentType
        self._rest = b""
        self.headers = b""

    def post(self, path: str, body: bytes, more: str = "") -> None:
        """
        Send a C{POST} request; L{read} returns its reply.

        @param more: more lines of the head.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: {self._contentType}\r\n{more}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)

    def get(self, path: str, more: str = "") -> bytes:
        """
        Send a C{GET} request, and return the body of its reply.
        """
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"
        self._socket.sendall(head.encode())
        return self.read()

    def read(self) -> bytes:
        """
        Return the body of the next reply.
        """
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._more()
        self.headers, _, rest = self._rest.partition(b"\r\n\r\n")
        lower = self.headers.lower()
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self._more()
        self._rest = rest[length:]
        return rest[:length]

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed the connection")
        return data

    def isReadable(self) -> bool:
        """
        Check whether some of a reply has arrived.
        """
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(0))

    def fileno(self) -> int:
        """
        Return the descriptor of the socket.
        """
        return self._socket.fileno()

    def close(self) -> None:
        """
        Close the connection.
        """
        self._socket.close()
