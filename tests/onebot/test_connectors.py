"""
The two ways to a OneBot program.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.model import Message
from txwebqq.onebot.connectors import Dialler, Listener
from txwebqq.onebot.memory.program import MemoryOneBot
from txwebqq.onebot.websocket import CLOSE_TIMEOUT
from txwebqq.testing import RecordingFactory, RecordingProtocol


class DiallerTests(SynchronousTestCase):
    """
    The address of a program.
    """

    def test_addresses(self) -> None:
        """
        An address has a host, a port and a path.
        """
        for url in (
            "ws://127.0.0.1:3001",
            "ws://[::1]:3001/",
            "wss://qq.example.org/onebot",
            "ws://localhost",
        ):
            Dialler(MemoryReactorClock(), 10001, url, "", None)  # type: ignore[arg-type]


class ListenerTests(SynchronousTestCase):
    """
    A program that connects to us.
    """

    def setUp(self) -> None:
        """
        Listen.
        """
        self.onebot = MemoryOneBot(token="T")
        self.alice = self.onebot.addFriend("Alice")
        self.listen()

    def listen(self) -> None:
        """
        Listen for the program, with its token.
        """
        self.reactor = MemoryReactorClock()
        # One clock for all.
        self.reactor.advance(self.onebot.clock.seconds())
        self.onebot.clock = self.reactor
        listener = Listener(
            self.reactor,
            self.onebot.number,
            "tcp:8080:interface=127.0.0.1",
            self.onebot.token,
        )
        self.factory = listener.factory
        self.results: list[Any] = []
        service = self.onebot.makeService(RecordingFactory(), connector=listener)
        service.startService()
        service.whenSignedOn().addBoth(self.results.append)
        self.service = service

    def protocol(self) -> RecordingProtocol:
        """
        Return the protocol, which is signed on.
        """
        (protocol,) = self.results
        assert isinstance(protocol, RecordingProtocol)
        return protocol

    def stop(self) -> None:
        """
        Stop; nothing is left.
        """
        self.onebot.stop()
        self.onebot.settle()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.factory.sockets, set())
        self.assertFalse(self.onebot.isLinked)

    def refused(self, role: str = "Universal", **headers: str) -> int | None:
        """
        Return the HTTP status of a refusal.
        """
        peer = self.onebot.dial(self.factory, role, **headers)
        self.onebot.settle()
        self.assertIsNotNone(peer.end)
        assert peer.end is not None
        return peer.end.status

    def test_listening(self) -> None:
        """
        The service listens as long as it runs.
        """
        ((port, factory, _, interface),) = self.reactor.tcpServers
        self.assertEqual((port, interface, factory), (8080, "127.0.0.1", self.factory))
        self.stop()

    def test_universal(self) -> None:
        """
        One connection is for calls and events.
        """
        self.onebot.dial(self.factory)
        self.onebot.tell(self.alice, "hi")
        (event,) = self.protocol().events
        assert isinstance(event, Message)
        self.assertEqual(event.text, "hi")
        self.stop()

    def test_tokens(self) -> None:
        """
        The token is wanted, in a header or in the query.
        """
        with capturedLogs() as logged:
            self.assertEqual(self.refused(Authorization=""), 401)
        self.assertIn("a token is needed", str(formatEvent(logged[0])))
        self.assertEqual(self.refused(Authorization="Bearer wrong"), 403)
        self.assertEqual(self.refused(Authorization="Basic T"), 401)
        self.assertEqual(self.refused(Authorization="Bearer"), 401)
        self.assertEqual(self.refused(Authorization="Bearer 漢"), 403)
        self.assertEqual(self.results, [])
        self.onebot.dial(self.factory, Authorization="Token T")
        self.protocol()
        self.stop()

    def test_browser(self) -> None:
        """
        Without a token a page in a browser is refused; it would hear all that the
        account sends. A program is told that the account does not wait for it.
        """
        local = "tcp:8081:interface=127.0.0.1"
        self.factory = Listener(self.reactor, self.onebot.number, local, "").factory
        self.assertEqual(self.refused(Authorization="", Origin="http://evil.test"), 403)
        self.assertEqual(self.refused(Authorization=""), 503)

    def test_anyToken(self) -> None:
        """
        A token may have any characters.
        """
        self.stop()
        self.onebot = MemoryOneBot(token="漢é")
        self.listen()
        self.onebot.dial(self.factory)
        self.protocol()
        self.stop()

    def test_name(self) -> None:
        """
        The log names the port by its purpose.
        """
        self.assertEqual(self.factory.logPrefix(), "OneBot WebSocket server")
        self.stop()

    def test_anotherAccount(self) -> None:
        """
        A program of another account is refused, and does not take the place.
        """
        self.assertEqual(self.refused(X_Self_ID="5"), 403)
        self.assertEqual(self.refused(X_Self_ID="x\\x07"), 403)
        self.onebot.dial(self.factory)
        self.protocol()
        self.stop()

    def test_noNumber(self) -> None:
        """
        A program need not say which account it has: it is asked.
        """
        self.onebot.dial(self.factory, X_Self_ID="")
        self.protocol()
        self.stop()

    def test_second(self) -> None:
        """
        A second connection is refused while the first lives.
        """
        self.onebot.dial(self.factory)
        self.assertEqual(self.refused(), 503)
        self.onebot.settle(CLOSE_TIMEOUT + 1)
        self.onebot.tell(self.alice, "hi")
        self.assertEqual(len(self.protocol().events), 1)
        self.stop()

    def test_deadFirst(self) -> None:
        """
        A first connection that is dead, unknown to us, gives way soon.
        """
        self.onebot.dial(self.factory)
        first = self.protocol()
        # Nothing of it arrives any more.
        (pump,) = self.onebot._pumps
        self.onebot._pumps.clear()
        self.onebot._peers.clear()
        self.assertEqual(self.refused(), 503)
        self.onebot.settle(CLOSE_TIMEOUT + 1)
        self.onebot._pumps.append(pump)
        self.onebot.settle(2)
        self.onebot.dial(self.factory)
        second = self.onebot.result(self.service.whenSignedOn())
        self.assertIsNot(first, second)
        self.stop()

    def test_pair(self) -> None:
        """
        A program may have one connection for calls and one for events, which come in
        any order.
        """
        for roles in (("API", "Event"), ("Event", "API")):
            self.setUp()
            for role in roles:
                self.onebot.dial(self.factory, role)
            self.onebot.tell(self.alice, "hi")
            self.assertEqual(len(self.protocol().events), 1)
            self.assertEqual(self.refused("Event"), 503)
            self.assertEqual(self.refused("API"), 503)
            self.stop()

    def test_halfPair(self) -> None:
        """
        The connection for events alone is not enough; when it is lost, all begins
        again.
        """
        self.onebot.dial(self.factory, "Event")
        self.onebot.settle(5)
        self.assertEqual(self.results, [])
        self.onebot.loseLink()
        self.onebot.settle(2)
        self.onebot.dial(self.factory, "API")
        self.protocol()
        self.onebot.dial(self.factory, "Event")
        self.onebot.tell(self.alice, "hi")
        self.assertEqual(len(self.protocol().events), 1)
        self.stop()

    def test_stopWithHalf(self) -> None:
        """
        Stopping closes a connection for events alone.
        """
        self.onebot.dial(self.factory, "Event")
        self.stop()

    def test_oneOfPairLost(self) -> None:
        """
        When one of a pair is lost, both are.
        """
        for lost in range(2):
            self.setUp()
            peers = [self.onebot.dial(self.factory, r) for r in ("API", "Event")]
            self.protocol()
            socket = peers[lost].socket
            assert socket is not None
            socket.abort()
            self.onebot.settle(1)
            self.assertFalse(self.onebot.isLinked)
            self.onebot.settle(1)
            for role in ("API", "Event"):
                self.onebot.dial(self.factory, role)
            self.onebot.result(self.service.whenSignedOn())
            self.stop()

    def test_linkLost(self) -> None:
        """
        The program may come back after a lost link.
        """
        for _ in range(3):
            self.onebot.dial(self.factory)
            self.onebot.result(self.service.whenSignedOn())
            self.onebot.loseLink(b"\\x81\\x7e")
            self.onebot.settle(2)
        self.stop()

    def test_signedOff(self) -> None:
        """
        A program that comes while the account is signed off is refused.
        """
        self.onebot.result(self.service.signOff())
        self.assertEqual(self.refused(), 503)
        self.assertEqual(self.refused("Event"), 503)
        self.service.signOn()
        self.results.clear()
        self.service.whenSignedOn().addBoth(self.results.append)
        self.onebot.dial(self.factory)
        self.protocol()
        self.stop()
