"""
A client of plain sockets, for measures in which the server is what counts.
"""

from __future__ import annotations

import json
import socket
from urllib.parse import quote


class Socket:
    """
    One connection.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60.0)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def post(self, path: str, body: bytes) -> None:
        """
        Ask.
        """
        head = (
            f"POST {path} HTTP/1.1\r\nHost: d.web2.qq.com\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + body)

    def get(self, path: str) -> bytes:
        """
        Ask for something, and wait for it.
        """
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return self.read()

    def read(self) -> bytes:
        """
        The body of the next answer.
        """
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._more()
        head, _, rest = self._rest.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(rest) < length:
            rest += self._more()
        self._rest = rest[length:]
        return rest[:length]

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed the connection")
        return data

    def fileno(self) -> int:
        """
        For L{select.select}.
        """
        return self._socket.fileno()

    def close(self) -> None:
        """
        Go.
        """
        self._socket.close()


def form(r: object, ticket: str, clientid: str) -> bytes:
    """
    A question as WebQQ's page posts it.
    """
    text = quote(json.dumps(r))
    return f"r={text}&clientid={clientid}&psessionid={ticket}".encode()


def poll(ticket: str, clientid: str) -> bytes:
    """
    The question for events.
    """
    members = {"clientid": clientid, "psessionid": ticket, "key": 0, "ids": []}
    return form(members, ticket, clientid)


def tickets(port: int, count: int) -> list[str]:
    """
    So many accounts are signed on; their tickets. The clientid of each is its
    place in the list.
    """
    return [psessionid for psessionid, _ in sessions(port, count)]


def sessions(port: int, count: int) -> list[tuple[str, str]]:
    """
    The same with what else a sign-on answers with, C{vfwebqq}.
    """
    asking = Socket(port)
    lines = asking.get(f"/bench/tickets?n={count}").decode().splitlines()
    asking.close()
    return [(line.split()[0], line.split()[1]) for line in lines]
