"""
HTTP client with blocking sockets, for measures of the server.
"""

from __future__ import annotations

import json
import select
import socket
from urllib.parse import quote

TIMEOUT = 120.0
"""Seconds to wait for a reply."""

HEADERS = """\
Host: d.web2.qq.com
Connection: keep-alive
Origin: http://d.web2.qq.com
User-Agent: Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) \
Chrome/33.0.1750.154 Safari/537.36
Content-Type: application/x-www-form-urlencoded
Accept: */*
Referer: http://d.web2.qq.com/proxy.html?v=20110331002&callback=1&id=3
Accept-Encoding: gzip,deflate,sdch
Accept-Language: zh-CN,zh;q=0.8
Cookie: pgv_pvid=3128472620; o_cookie=20001; ptui_loginuin=20001; RK=mEoUJWZyMU; \
ptisp=ctc; verifysession=h02; pt2gguin=o0000020001; uin=o0000020001; skey=@XkhLvD1RO; \
ptcz=0aab3da0a8e4c2ae4fa0a2a5a3a8a5b7c0b0e6dcd6e9d7bb
"""
"""The headers of a request of WebQQ's page in a browser of 2014."""


class Socket:
    """
    A connection to the server, for requests one after the other.

    @ivar head: the head of the last reply.
    """

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""
        self.head = b""

    def post(self, path: str, body: bytes) -> None:
        """
        Send a C{POST} request; L{read} returns its reply.
        """
        headers = HEADERS.replace("\n", "\r\n")
        head = f"POST {path} HTTP/1.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self._socket.sendall(head.encode() + body)

    def get(self, path: str) -> bytes:
        """
        Send a C{GET} request, and return the body of its reply.
        """
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return self.read()

    def read(self) -> bytes:
        """
        Return the body of the next reply.
        """
        while b"\r\n\r\n" not in self._rest:
            self._rest += self._more()
        self.head, _, rest = self._rest.partition(b"\r\n\r\n")
        lower = self.head.lower()
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
        Check whether some of a reply has arrived. C{select} would not take
        descriptors above 1023.
        """
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        return bool(poller.poll(0))

    def fileno(self) -> int:
        """
        Return the descriptor of the connection, for L{select}.
        """
        return self._socket.fileno()

    def close(self) -> None:
        """
        Close the connection.
        """
        self._socket.close()


def form(r: object, ticket: str, clientid: str) -> bytes:
    """
    Make a request body as the page of WebQQ did.
    """
    text = quote(json.dumps(r))
    return f"r={text}&clientid={clientid}&psessionid={ticket}".encode()


def poll(ticket: str, clientid: str) -> bytes:
    """
    Make the request body of a poll.
    """
    members = {"clientid": clientid, "psessionid": ticket, "key": 0, "ids": []}
    return form(members, ticket, clientid)


def tickets(port: int, count: int) -> list[str]:
    """
    Sign on C{count} accounts and return their tickets. The C{clientid} of each
    is its index in the list.
    """
    return [psessionid for psessionid, _ in sessions(port, count)]


def sessions(port: int, count: int) -> list[tuple[str, str]]:
    """
    Sign on C{count} accounts and return the C{psessionid} and C{vfwebqq} of
    each.
    """
    connection = Socket(port)
    lines = connection.get(f"/bench/tickets?n={count}").decode().splitlines()
    connection.close()
    return [(line.split()[0], line.split()[1]) for line in lines]
