"""
Bytes of WebSockets, to both ends of ours.
"""

from __future__ import annotations

import struct
from random import Random

from twisted.internet.task import Clock

from tests.fuzz.hostile import cuts, damage, one, segments, value, write
from tests.onebot.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    REQUEST,
    TEXT,
    RawPeer,
    Recorder,
    client,
    frame,
    server,
)
from txwebqq.onebot.handshakes import Handshake, WebSocketFactory
from txwebqq.onebot.websocket import WebSocketHandler

Item = tuple[bool, bytes, tuple[int, ...]]
"""A flag for the frames of a client, the bytes, and the sizes of segments."""

OPCODES = (CONTINUATION, TEXT, TEXT, TEXT, BINARY, CLOSE, PING, PONG, 3, 7, 11, 15)


def make(random: Random) -> Item:
    """
    Make frames, and at times the handshake before them.
    """
    isMasked = random.random() < 0.5
    data = b"".join(_frame(random, isMasked) for _ in range(random.randrange(1, 5)))
    if random.random() < 0.15:
        start = REQUEST.format(target="/", headers="Cookie: \xff\r\n").encode("latin-1")
        data = damage(random, start) + data
    if random.random() < 0.3:
        data = damage(random, data)
    return isMasked, data, cuts(random)


def _frame(random: Random, isMasked: bool) -> bytes:
    payload = one(
        random,
        (
            write(random, value(random)),
            b"",
            struct.pack("!H", one(random, (0, 999, 1000, 1005, 1015, 2999, 65535))),
            b"\xff" * random.randrange(200),
            "在".encode()[: random.randrange(4)],
            b"x" * one(random, (125, 126, 127, 65535, 65536)),
        ),
    )
    if random.random() < 0.03:
        isMasked = not isMasked
    isLast = random.random() < 0.8
    data = bytearray(frame(one(random, OPCODES), payload, isLast, isMasked))
    kind = random.randrange(12)
    if kind == 0:
        # The bits of extensions, such as compression.
        data[0] |= one(random, (0x10, 0x20, 0x40, 0x70))
    elif kind == 1:
        data[1] = data[1] & 0x80 | one(random, (126, 127))
    elif kind == 2:
        size = one(random, (0, 2**31, 2**63, 2**64 - 1))
        data[1:2] = bytes([data[1] & 0x80 | 127]) + struct.pack("!Q", size)
    return bytes(data)


class WebSocketTarget:
    """
    Clients and servers of WebSockets, one pair for each input.
    """

    def __init__(self) -> None:
        self._clock = Clock()

    def _open(self, isServer: bool, recorder: Recorder) -> RawPeer:
        if not isServer:
            return client(self._clock, recorder)
        return server(self._clock, lambda handshake: recorder)

    def feed(self, item: Item) -> None:
        isServer, data, sizes = item
        recorder = Recorder()
        peer = self._open(isServer, recorder)
        self._give(peer, data, sizes)
        if isServer:
            # The same bytes in the place of the handshake.
            factory = WebSocketFactory(self._accept, self._clock)
            bare = RawPeer(factory.buildProtocol(None))
            self._give(bare, data, sizes)
            bare.lose()
        self._clock.advance(1)
        peer.lose()
        assert len(recorder.ends) == 1, "the handler was not told of the end"
        self._clock.advance(1)

    def _accept(self, handshake: Handshake) -> WebSocketHandler:
        return Recorder()

    def _give(self, peer: RawPeer, data: bytes, sizes: tuple[int, ...]) -> None:
        for segment in segments(data, sizes):
            if peer.end != "abort":
                peer.give(segment)
        peer.written()

    def check(self) -> None:
        for isServer in (False, True):
            recorder = Recorder()
            peer = self._open(isServer, recorder)
            peer.give(frame(TEXT, b"still", isMasked=isServer))
            assert recorder.texts == ["still"]
            peer.lose()
        assert self._clock.getDelayedCalls() == []

    def close(self) -> None:
        assert self._clock.getDelayedCalls() == []
