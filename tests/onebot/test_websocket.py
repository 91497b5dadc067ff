"""
WebSockets against bytes by hand.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.onebot.rawsocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawPeer,
    Recorder,
    accepted,
    client,
    closeFrame,
    frame,
    server,
    unframed,
)
from txwebqq.onebot import websocket
from txwebqq.onebot.handshakes import Handshake, Refused, WebSocketFactory
from txwebqq.onebot.websocket import (
    CLOSE_TIMEOUT,
    HANDSHAKE_TIMEOUT,
    PING_INTERVAL,
    WebSocketHandler,
    closeAll,
)


class ClientTests(SynchronousTestCase):
    """
    The WebSocket that we open.
    """

    def setUp(self) -> None:
        """
        Open one.
        """
        self.clock = Clock()
        self.recorder = Recorder()
        self.peer = client(self.clock, self.recorder)

    def over(self) -> str:
        """
        Lose the connection, and return the reason that the handler was given.
        """
        self.peer.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        (end,) = self.recorder.ends
        return str(end)

    def test_handshake(self) -> None:
        """
        The handshake has the host, the path and the further headers.
        """
        peer = client(self.clock, Recorder(), isOpen=False)
        request = peer.written().decode("ascii")
        self.assertTrue(request.startswith("GET / HTTP/1.1\r\n"))
        lines = request.lower().split("\r\n")
        self.assertIn("host: localhost:3001", lines)
        self.assertIn("authorization: bearer t", lines)
        self.assertIn("sec-websocket-version: 13", lines)
        # Messages are not compressed.
        self.assertNotIn("permessage-deflate", request)
        peer.lose()

    def test_text(self) -> None:
        """
        A text message is handed over, also one that is longer than 64 KiB.
        """
        long = "漢" * 70_000
        self.peer.give(frame(TEXT, "你好".encode()))
        self.peer.give(frame(TEXT, long.encode()))
        self.assertEqual(self.recorder.texts, ["你好", long])
        self.over()

    def test_handlerFails(self) -> None:
        """
        An error of the handler is not taken for one of the peer.
        """

        class Failing(Recorder):
            def textReceived(self, socket: websocket.WebSocket, text: str) -> None:
                text.encode("ascii")

        peer = client(self.clock, Failing())
        with self.assertRaises(UnicodeEncodeError):
            peer.give(frame(TEXT, "你好".encode()))
        peer.lose()
        self.over()

    def test_fragments(self) -> None:
        """
        A message of several frames is one, also with a ping between them, and with
        characters that are divided.
        """
        text = "你好吗".encode()
        self.peer.give(frame(TEXT, text[:4], isLast=False))
        self.peer.give(frame(PING, b"?"))
        self.peer.give(frame(CONTINUATION, text[4:5], isLast=False))
        self.peer.give(frame(CONTINUATION, text[5:]))
        self.assertEqual(self.recorder.texts, ["你好吗"])
        self.assertEqual(self.peer.frames(), [(PONG, b"?")])
        self.over()

    def test_oneSegment(self) -> None:
        """
        Several frames of one segment are all handed over, in order, also behind the
        reply to the handshake.
        """
        recorder = Recorder()
        peer = client(self.clock, recorder, isOpen=False)
        reply = accepted(peer.written())
        peer.give(reply + frame(TEXT, b"1") + frame(TEXT, b"2") + frame(TEXT, b"3"))
        self.assertEqual(recorder.texts, ["1", "2", "3"])
        peer.lose()
        self.over()

    def test_byteByByte(self) -> None:
        """
        Segments may be as small as a byte.
        """
        recorder = Recorder()
        peer = client(self.clock, recorder, isOpen=False)
        data = accepted(peer.written()) + frame(TEXT, "你好".encode() * 50)
        for byte in data:
            peer.give(bytes([byte]))
        self.assertEqual(recorder.texts, ["你好" * 50])
        peer.lose()
        self.over()

    def test_send(self) -> None:
        """
        A text is sent in one masked frame.
        """
        self.peer.socket.sendText("漢" * 30_000)
        data = self.peer.written()
        self.assertTrue(data[1] & 0x80)
        self.assertEqual(unframed(data), [(TEXT, ("漢" * 30_000).encode())])
        self.over()
        self.peer.socket.sendText("late")
        self.assertEqual(self.peer.written(), b"")

    def test_silence(self) -> None:
        """
        A peer that says nothing is sent a ping, and the connection is closed if it
        does not answer.
        """
        self.clock.advance(PING_INTERVAL - 1)
        self.assertEqual(self.peer.frames(), [])
        self.clock.advance(1)
        ((opcode, _),) = self.peer.frames()
        self.assertEqual(opcode, PING)
        self.clock.advance(PING_INTERVAL - 1)
        self.assertEqual(self.peer.end, "")
        self.clock.advance(1)
        self.assertEqual(self.peer.end, "abort")
        self.assertIn("does not answer pings", self.over())

    def test_pong(self) -> None:
        """
        A peer that answers pings, or says anything, may stay.
        """
        for answer in (frame(PONG), frame(TEXT, b"x")) * 5:
            self.clock.advance(PING_INTERVAL)
            self.assertEqual([opcode for opcode, _ in self.peer.frames()], [PING])
            self.peer.give(answer)
        self.clock.advance(PING_INTERVAL - 1)
        self.assertEqual((self.peer.end, self.peer.frames()), ("", []))
        self.over()

    def test_probe(self) -> None:
        """
        A peer that is probed has a few seconds to answer.
        """
        self.peer.socket.probe()
        self.assertEqual([opcode for opcode, _ in self.peer.frames()], [PING])
        self.peer.give(frame(PONG))
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertEqual(self.peer.end, "")
        self.peer.socket.probe()
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertEqual(self.peer.end, "abort")
        self.over()

    def test_peerCloses(self) -> None:
        """
        A close frame is answered, and its code and reason are told.
        """
        self.peer.give(closeFrame(1008, "who are you") + frame(TEXT, b"late"))
        self.assertEqual(self.peer.frames()[0][0], CLOSE)
        self.assertEqual(self.peer.end, "lose")
        self.assertIn("(code 1008): who are you", self.over())
        self.assertEqual(self.recorder.ends[0].code, 1008)
        self.assertEqual(self.recorder.texts, [])

    def test_peerClosesAndStays(self) -> None:
        """
        A peer that does not end its connection after the close is aborted.
        """
        self.peer.give(closeFrame(1000))
        self.peer.end = ""
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertEqual(self.peer.end, "abort")
        self.over()

    def test_weClose(self) -> None:
        """
        Closing is said, and has happened when the connection is lost.
        """
        closed = self.peer.socket.close(1000, "bye")
        self.assertFalse(self.peer.socket.isOpen)
        self.assertEqual(self.peer.frames(), [(CLOSE, b"\x03\xe8bye")])
        self.peer.socket.sendText("late")
        again = self.peer.socket.close()
        self.assertNoResult(closed)
        self.peer.give(closeFrame(1000))
        self.assertEqual((self.peer.end, self.peer.frames()), ("lose", []))
        self.assertNoResult(closed)
        self.over()
        self.successResultOf(closed)
        self.successResultOf(again)
        self.successResultOf(self.peer.socket.close())

    def test_peerIgnoresClose(self) -> None:
        """
        A peer that goes on talking instead of answering the close is aborted in
        time.
        """
        self.peer.socket.close()
        for _ in range(int(CLOSE_TIMEOUT)):
            self.peer.give(frame(TEXT, b"and another thing"))
            self.clock.advance(1)
        self.assertEqual(self.peer.end, "abort")
        self.over()

    def test_longReason(self) -> None:
        """
        A reason that does not fit into a close frame is cut, between characters.
        """
        self.peer.socket.close(1000, "漢" * 100)
        ((_, payload),) = self.peer.frames()
        self.assertEqual(payload[2:].decode(), "漢" * 40)
        self.over()

    def test_slowPeer(self) -> None:
        """
        Messages for a peer that reads slowly are kept, up to a size.
        """
        self.patch(websocket, "MAX_UNSENT", 1000)
        self.peer.socket.pauseProducing()
        for _ in range(9):
            self.peer.socket.sendText("x" * 90)
        self.assertEqual((self.peer.written(), self.peer.end), (b"", ""))
        self.peer.socket.resumeProducing()
        self.assertEqual(len(self.peer.frames()), 9)
        self.peer.socket.pauseProducing()
        for _ in range(9):
            self.peer.socket.sendText("x" * 90)
        self.assertEqual(self.peer.end, "")
        for _ in range(5):
            self.peer.socket.sendText("x" * 90)
        self.assertEqual(self.peer.end, "abort")
        self.assertIn("reads too slowly", self.over())

    def test_slowPeerCloses(self) -> None:
        """
        Messages that were kept for a slow peer go out before the connection ends.
        """
        self.peer.socket.pauseProducing()
        self.peer.socket.sendText("x")
        self.peer.give(closeFrame(1000))
        self.assertEqual([opcode for opcode, _ in self.peer.frames()], [TEXT, CLOSE])
        self.over()

    def test_tooLong(self) -> None:
        """
        A message that is too long closes the connection, at once, also in parts.
        """
        self.patch(websocket, "MAX_MESSAGE", 100)
        self.peer.give(frame(TEXT, b"x" * 60, isLast=False))
        self.peer.give(frame(CONTINUATION, b"x" * 60, isLast=False))
        ((opcode, payload),) = self.peer.frames()
        self.assertEqual((opcode, payload[:2]), (CLOSE, b"\x03\xf1"))
        self.assertEqual(self.peer.end, "lose")
        self.assertIn("too long", self.over())

    def test_binary(self) -> None:
        """
        A binary message is not understood.
        """
        self.peer.give(frame(BINARY, b"\0\1") + frame(TEXT, b"x"))
        ((opcode, payload),) = self.peer.frames()
        self.assertEqual((opcode, payload[:2]), (CLOSE, b"\x03\xeb"))
        self.assertEqual(self.recorder.texts, [])
        self.over()

    def test_badFrames(self) -> None:
        """
        Bytes that are no frame, or no text, close the connection, and nothing raises.
        """
        for data in (
            b"\xf1\x01x",
            frame(3, b"?"),
            frame(TEXT, b"\xff\xfe"),
            frame(CONTINUATION, b"x"),
            frame(TEXT, b"a", isLast=False) + frame(TEXT, b"b"),
            frame(PING, b"x" * 126),
            frame(CLOSE, b"\x03"),
            closeFrame(999),
            frame(TEXT, b"x", isMasked=True),
        ):
            recorder = Recorder()
            peer = client(self.clock, recorder)
            peer.give(data)
            self.assertEqual(peer.end, "lose", data)
            peer.give(b"more")
            peer.lose()
            self.assertEqual((len(recorder.ends), recorder.texts), (1, []), data)
        self.over()


class HandshakeTests(SynchronousTestCase):
    """
    Replies to the handshake of a client.
    """

    def setUp(self) -> None:
        """
        Ask for a handshake.
        """
        self.clock = Clock()
        self.recorder = Recorder()
        self.peer = client(self.clock, self.recorder, isOpen=False)

    def over(self) -> websocket.WebSocketClosed:
        """
        Lose the connection, and return the reason that the handler was given.
        """
        self.peer.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertFalse(self.recorder.isOpen)
        (end,) = self.recorder.ends
        return end

    def test_never(self) -> None:
        """
        A handshake that is never answered ends the connection.
        """
        self.clock.advance(HANDSHAKE_TIMEOUT)
        self.assertEqual(self.peer.end, "abort")
        self.assertIn("no handshake", str(self.over()))

    def test_refused(self) -> None:
        """
        A refusal is told with its status, with a body, without, or with one that
        has no end.
        """
        for rest in (
            "Content-Length: 0\r\n\r\n",
            "Content-Length: 6\r\n\r\nno way",
            "Content-Length: 6\r\n\r\nno",
            "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n",
            "\r\nno",
        ):
            self.setUp()
            self.peer.give(f"HTTP/1.1 403 Forbidden\r\n{rest}".encode())
            self.assertEqual(self.peer.end, "lose", rest)
            self.assertEqual(self.over().status, 403)

    def test_garbage(self) -> None:
        """
        A reply that is no WebSocket's, or a wrong one, ends the connection.
        """
        for data in (
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"\x16\x03\x01\x02",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            accepted(b"Sec-WebSocket-Key: another"),
            accepted(b"Sec-WebSocket-Key: x").replace(b"websocket", b"h2c"),
            b"\r\n" * 20 + b"\0" * 100_000,
            b"x" * 300_000,
            b"HTTP/1.1 101 OK\r\nConnection: \xff\r\nUpgrade: websocket\r\n\r\n",
        ):
            self.setUp()
            self.peer.give(data)
            if data.startswith(b"SSH"):
                # It may be the beginning of a reply.
                self.clock.advance(HANDSHAKE_TIMEOUT)
            self.assertNotEqual(self.peer.end, "", data[:60])
            self.over()

    def test_abort(self) -> None:
        """
        Closing before the end of the handshake closes the connection.
        """
        closed = self.peer.socket.close()
        self.assertEqual(self.peer.end, "abort")
        self.over()
        self.successResultOf(closed)


class ServerTests(SynchronousTestCase):
    """
    The WebSocket that others open.
    """

    def setUp(self) -> None:
        """
        Accept all.
        """
        self.clock = Clock()
        self.recorder = Recorder()
        self.handshakes: list[Handshake] = []

    def accept(self, handshake: Handshake) -> WebSocketHandler:
        """
        Remember the handshake.
        """
        self.handshakes.append(handshake)
        return self.recorder

    def test_accepted(self) -> None:
        """
        A handshake is accepted, and the handler sees its path, query and headers,
        the first of several with one name.
        """
        peer = server(
            self.clock,
            self.accept,
            "/ws?access_token=T",
            "X-Self-ID: 10001\r\nx-self-id: 5\r\n",
        )
        reply = peer.written()
        self.assertIn(b"101", reply)
        # The value of RFC 6455, section 1.3.
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", reply)
        (handshake,) = self.handshakes
        self.assertEqual(
            (handshake.path, handshake.query, handshake.headers["x-self-id"]),
            ("/ws", "access_token=T", "10001"),
        )
        peer.give(frame(TEXT, b"hi", isMasked=True))
        self.assertEqual(self.recorder.texts, ["hi"])
        peer.socket.sendText("yo")
        self.assertEqual(peer.written(), frame(TEXT, b"yo"))
        peer.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused(self) -> None:
        """
        A refusal is an HTTP reply with the reason.
        """

        def refuse(handshake: Handshake) -> WebSocketHandler:
            raise Refused(401, "a token is needed")

        peer = server(self.clock, refuse)
        reply = peer.written()
        self.assertTrue(reply.startswith(b"HTTP/1.1 401"), reply)
        self.assertTrue(reply.endswith(b"a token is needed\n"), reply)
        self.assertEqual(peer.end, "lose")
        peer.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.recorder.ends, [])

    def test_garbage(self) -> None:
        """
        A request that is no handshake ends the connection.
        """
        for data in (
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi",
            b"\x16\x03\x01",
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            b"x" * 100_000,
            f"GET / HTTP/1.1\r\nHost: {'x' * 64}\r\n\r\n".encode(),
            b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nConnection: \xff\r\n\r\n",
        ):
            factory = WebSocketFactory(self.accept, self.clock)
            peer = RawPeer(factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1)))
            peer.give(data)
            if peer.end == "":
                # It may be the beginning of one.
                self.clock.advance(HANDSHAKE_TIMEOUT)
            self.assertNotEqual(peer.end, "", data[:50])
            peer.lose()
            self.assertEqual(factory.sockets, set())
        self.assertEqual(self.handshakes, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unmasked(self) -> None:
        """
        A client's frame without a mask is none.
        """
        peer = server(self.clock, self.accept)
        peer.give(frame(TEXT, b"hi"))
        self.assertEqual((peer.end, self.recorder.texts), ("lose", []))
        peer.lose()

    def test_closeAll(self) -> None:
        """
        All WebSockets of a factory are closed, after a time without the peers.
        """
        peers = [server(self.clock, self.accept) for _ in range(2)]
        sockets = {peer.socket for peer in peers}
        closed = closeAll(sockets, 1001, "going away")
        self.clock.advance(CLOSE_TIMEOUT)
        self.assertEqual([peer.end for peer in peers], ["abort", "abort"])
        self.assertNoResult(closed)
        for peer in peers:
            peer.lose()
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])


@given(st.lists(st.text(max_size=300), max_size=5), st.data())
def test_anySegments(texts: list[str], data: st.DataObject) -> None:
    """
    Messages arrive as they were, however the bytes are divided into frames and
    segments.
    """
    clock, recorder = Clock(), Recorder()
    peer = client(clock, recorder)
    wire = b""
    for text in texts:
        payload = text.encode()
        at = data.draw(st.integers(0, len(payload)))
        wire += frame(TEXT, payload[:at], isLast=False)
        wire += frame(CONTINUATION, payload[at:])
    while wire:
        size = data.draw(st.integers(1, 200))
        peer.give(wire[:size])
        wire = wire[size:]
    assert recorder.texts == texts
    peer.lose()
    assert clock.getDelayedCalls() == []


@given(st.binary(min_size=1, max_size=200))
def test_anyBytes(data: bytes) -> None:
    """
    No bytes raise, before the handshake or after it.
    """
    clock = Clock()
    for isOpen in (True, False):
        recorder = Recorder()
        peer = client(clock, recorder, isOpen)
        peer.give(data)
        peer.lose()
        assert len(recorder.ends) == 1
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("isOpen", [True, False])
def test_lostTwice(isOpen: bool) -> None:
    """
    The handler is told of the end once.
    """
    recorder = Recorder()
    peer = client(Clock(), recorder, isOpen)
    peer.lose()
    peer.lose()
    assert len(recorder.ends) == 1
