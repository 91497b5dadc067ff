"""
The short way of whole requests through twisted.web.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.tcp import Connection

from txwebqq.net.wholerequest import MAX_HEAD, WholeRequestChannel, wholeRequest

HOST = b"Host: d.web2.qq.com\r\n"


def test_whole() -> None:
    """
    A request is taken apart, also with a length in odd capitals and a connection that
    is to be kept.
    """
    lines = HOST + b"content-LENGTH:  3 \r\nConnection: Keep-Alive\r\n"
    data = b"POST /channel/poll2?a=1 HTTP/1.1\r\n" + lines + b"\r\nr=1"
    assert wholeRequest(data) == (b"POST", b"/channel/poll2?a=1", lines, b"r=1")
    assert wholeRequest(b"GET / HTTP/1.1\r\n\r\n") == (b"GET", b"/", b"", b"")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\nGET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"HEAD / HTTP/1.1\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nConnection: keep-alive, close\r\n\r\n",
        b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nab",
        b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length: 1,1\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\na",
        b"POST / HTTP/1.1\r\nContent-Length : 1\r\n\r\na",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * MAX_HEAD + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 501 + b"\r\n",
    ],
)
def test_other(data: bytes) -> None:
    """
    All else is left to twisted.web.
    """
    assert wholeRequest(data) is None


class _Reactor:
    """
    A reactor that remembers the connections that want to write.
    """

    def __init__(self) -> None:
        self.writers: list[object] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None

    def addWriter(self, writer: object) -> None:
        self.writers.append(writer)


@pytest.mark.parametrize("isFull", [False, True])
def test_write(isFull: bool) -> None:
    """
    A reply is written to a TCP connection at once; what the system does not take is
    written later, in order.
    """
    ours, theirs = socket.socketpair()
    channel: Any = WholeRequestChannel()
    reactor: Any = _Reactor()
    channel.transport = transport = Connection(ours, channel, reactor)
    transport.connected = True
    before = b""
    if isFull:
        while True:
            try:
                before += b"x" * ours.send(b"x" * 4096)
            except BlockingIOError:
                break
    theirs.setblocking(False)
    channel.writeWhole(b"text/plain", b"first")
    # There is room again before the system has been asked to take the first reply.
    received = theirs.recv(1 << 16)
    channel.writeWhole(b"text/plain", b"second")
    assert reactor.writers == [transport] * (2 if isFull else 0)
    for _ in range(2 + len(before) // 4096):
        try:
            received += theirs.recv(1 << 20)
        except BlockingIOError:
            transport.doWrite()
    assert received.startswith(before + b"HTTP/1.1 200 OK\r\nServer: ")
    assert received.endswith(b"\r\nContent-Length: 6\r\n\r\nsecond")
    assert b"\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 " in received
    ours.close()
    theirs.close()
