"""
HTTP/1.1 connections to servers of several kinds.
"""

from __future__ import annotations

from benchmarks.server.http import Socket


class HTTPConnection(Socket):
    """
    A connection whose requests may have more headers.

    @param contentType: the C{Content-Type} of the bodies sent.
    """

    def __init__(self, port: int, contentType: str) -> None:
        super().__init__(port)
        self._contentType = contentType

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
