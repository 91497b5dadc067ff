"""
WebSocket frames and handshakes by hand, beside our own codec.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from txwebqq.onebot.handshakes import (
    ClientWebSocket,
    Handshake,
    ServerWebSocket,
    WebSocketFactory,
)
from txwebqq.onebot.websocket import WebSocket, WebSocketClosed, WebSocketHandler

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

MASK = b"\x01\x02\x03\x04"

KEY = "dGhlIHNhbXBsZSBub25jZQ=="

REQUEST = (
    "GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\n"
    "{headers}\r\n"
)


def frame(
    opcode: int, payload: bytes = b"", isLast: bool = True, isMasked: bool = False
) -> bytes:
    """
    Return the bytes of a frame (RFC 6455, section 5.2).
    """
    size = len(payload)
    flag = 0x80 if isMasked else 0
    if size < 126:
        head = bytes([flag | size])
    elif size < 65536:
        head = bytes([flag | 126]) + struct.pack("!H", size)
    else:
        head = bytes([flag | 127]) + struct.pack("!Q", size)
    if isMasked:
        head += MASK
        payload = bytes(byte ^ MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([(0x80 if isLast else 0) | opcode]) + head + payload


def closeFrame(code: int, reason: str = "", isMasked: bool = False) -> bytes:
    """
    Return the bytes of a close frame.
    """
    return frame(CLOSE, struct.pack("!H", code) + reason.encode(), isMasked=isMasked)


def accepted(request: bytes) -> bytes:
    """
    Return the reply that accepts a handshake (section 4.2.2).
    """
    lines = request.decode("ascii").split("\r\n")
    key = next(
        line.partition(": ")[2]
        for line in lines
        if line.lower().startswith("sec-websocket-key")
    )
    guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = b64encode(sha1(f"{key}{guid}".encode()).digest()).decode("ascii")
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    ).encode()


def unframed(data: bytes) -> list[tuple[int, bytes]]:
    """
    Return the opcodes and payloads of whole frames.
    """
    frames = []
    while data:
        opcode, size, at = data[0] & 15, data[1] & 127, 2
        isMasked = data[1] & 128
        if size == 126:
            size, at = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127:
            size, at = struct.unpack("!Q", data[2:10])[0], 10
        mask = b"\0\0\0\0"
        if isMasked:
            mask, at = data[at : at + 4], at + 4
        payload = data[at : at + size]
        frames.append((opcode, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))))
        data = data[at + size :]
    return frames


class Recorder:
    """
    A handler that records.
    """

    def __init__(self) -> None:
        self.isOpen = False
        self.texts: list[str] = []
        self.ends: list[WebSocketClosed] = []

    def opened(self, socket: WebSocket) -> None:
        """
        Record it.
        """
        self.isOpen = True

    def textReceived(self, socket: WebSocket, text: str) -> None:
        """
        Record it.
        """
        self.texts.append(text)

    def closed(self, socket: WebSocket, reason: WebSocketClosed) -> None:
        """
        Record it.
        """
        self.ends.append(reason)


class RawPeer:
    """
    A WebSocket of ours, and the other end by hand.
    """

    transport: StringTransport

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        transport: Any = StringTransport()
        self.transport = transport
        # A connection that is aborted is lost.
        transport.abortConnection = lambda: self._end("abort")
        transport.loseConnection = lambda: self._end("lose")
        self.end = ""
        socket.makeConnection(transport)

    def _end(self, how: str) -> None:
        self.end = self.end or how

    def lose(self) -> None:
        """
        Lose the connection.
        """
        self.socket.connectionLost(Failure(ConnectionError("gone")))

    def written(self) -> bytes:
        """
        Return what our end has written since the last time.
        """
        data: bytes = self.transport.value()
        self.transport.clear()
        return data

    def frames(self) -> list[tuple[int, bytes]]:
        """
        Return the frames that our end has written since the last time.
        """
        return unframed(self.written())

    def give(self, data: bytes) -> None:
        """
        Give our end a segment.
        """
        self.socket.dataReceived(data)


def client(clock: Clock, recorder: Recorder, isOpen: bool = True) -> RawPeer:
    """
    Make a client of ours.
    """
    socket = ClientWebSocket(
        recorder, clock, "localhost:3001", "/", [("Authorization", "Bearer T")], set()
    )
    peer = RawPeer(socket)
    if isOpen:
        peer.give(accepted(peer.written()))
    return peer


def server(
    clock: Clock,
    accept: Callable[[Handshake], WebSocketHandler],
    target: str = "/",
    headers: str = "",
) -> RawPeer:
    """
    Make a server of ours, which was asked for a handshake.
    """
    factory = WebSocketFactory(accept, clock)
    socket = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
    assert isinstance(socket, ServerWebSocket)
    peer = RawPeer(socket)
    peer.give(REQUEST.format(target=target, headers=headers).encode())
    return peer
