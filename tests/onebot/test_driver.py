"""
The sign-ons of one account through a program in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.onebot.rawsocket import TEXT, frame
from txwebqq.errors import (
    Kicked,
    LoginRefused,
    NotSignedOn,
    SessionExpired,
    Unreachable,
    WebQQError,
)
from txwebqq.model import GroupMessage, Message, MessageSent, RosterChange, Status
from txwebqq.onebot import driver
from txwebqq.onebot.actions import missed
from txwebqq.onebot.driver import Pace
from txwebqq.onebot.memory.account import CallRefused
from txwebqq.onebot.memory.program import MemoryOneBot, numbersAsTexts
from txwebqq.protocol import WebQQFactory
from txwebqq.testing import RecordingProtocol


def withoutStates(logged: Iterable[LogEvent]) -> list[str]:
    """
    Return the lines of a log but those of states.
    """
    return [formatEvent(event) for event in logged if "state" not in event]


class Protocol(RecordingProtocol):
    """
    Records its callbacks, and does as it is told within them.
    """

    factory: Factory

    def __init__(self) -> None:
        super().__init__()
        self.log: list[str] = []
        self.reason: Failure | None = None

    def _called(self, name: str) -> None:
        self.log.append(name)
        self.factory.within.get(name, lambda protocol: None)(self)

    def connectionMade(self) -> None:
        """
        Record it.
        """
        self._called("connectionMade")

    def signedOn(self) -> None:
        """
        Record it.
        """
        self._called("signedOn")

    def messageReceived(self, message: Message) -> None:
        """
        Record it.
        """
        self._called("messageReceived")

    def connectionLost(self, reason: Failure) -> None:
        """
        Record it.
        """
        self.reason = reason
        self._called("connectionLost")

    @property
    def heard(self) -> list[str]:
        """
        The texts of the messages.
        """
        kinds = (Message, GroupMessage)
        return [event.text for event in self.events if isinstance(event, kinds)]


class Factory(WebQQFactory):
    """
    Remembers the protocols that it builds.

    @ivar within: what is done within a callback, by its name.
    """

    def __init__(self) -> None:
        self.built: list[Protocol] = []
        self.within: dict[str, Callable[[Protocol], object]] = {}

    def buildProtocol(self, account: Any) -> Protocol:
        """
        Build one.
        """
        protocol = Protocol()
        protocol.factory = self
        self.built.append(protocol)
        return protocol


class OneBotTestCase(SynchronousTestCase):
    """
    Base of the tests of one account.
    """

    def setUp(self) -> None:
        """
        Make the program.
        """
        self.onebot = MemoryOneBot()
        self.alice = self.onebot.addFriend("Alice", "Ali")
        self.group = self.onebot.addGroup("Twisted", self.alice)
        self.factory = Factory()

    def signOn(self, **options: Any) -> Protocol:
        """
        Sign on.
        """
        return self.onebot.run(self.factory, **options)

    def begin(self, **options: Any) -> list[Any]:
        """
        Start the service, without an end of the sign-on.

        @return: gets the result of C{whenSignedOn}.
        """
        results: list[Any] = []
        service = self.onebot.makeService(self.factory, **options)
        service.startService()
        service.whenSignedOn().addBoth(results.append)
        self.onebot.settle()
        return results

    def stop(self) -> None:
        """
        Stop the service; nothing is left.
        """
        self.onebot.stop()
        self.onebot.settle()
        self.assertEqual(self.onebot.clock.getDelayedCalls(), [])
        self.assertFalse(self.onebot.isLinked)

    def refused(self, results: list[Any]) -> str:
        """
        Return the reason of a refused sign-on, after which nothing goes on.
        """
        (failure,) = results
        failure.trap(LoginRefused)
        connections, calls = self.onebot.connections, len(self.onebot.calls)
        self.assertEqual(self.onebot.clock.getDelayedCalls(), [])
        self.onebot.settle(600)
        self.assertEqual(
            (self.onebot.connections, len(self.onebot.calls)), (connections, calls)
        )
        self.stop()
        return str(failure.value)


class DriverTests(OneBotTestCase):
    """
    The life of an account.
    """

    def test_signOn(self) -> None:
        """
        The friends and groups are there when the account is signed on.
        """
        protocol = self.signOn()
        self.assertEqual(protocol.log, ["connectionMade", "signedOn"])
        (buddy,) = protocol.buddies.values()
        self.assertEqual((buddy.nick, buddy.markname), ("Alice", "Ali"))
        self.assertEqual([g.name for g in protocol.groups.values()], ["Twisted"])
        self.onebot.tell(self.alice, "hi")
        self.onebot.tellGroup(self.group, self.alice, "all")
        self.assertEqual(protocol.heard, ["hi", "all"])
        self.stop()
        self.assertEqual(protocol.log[-1], "connectionLost")
        assert protocol.reason is not None
        protocol.reason.trap(ConnectionDone)

    def test_tokenByHTTP(self) -> None:
        """
        A token that the handshake is refused for needs a person.
        """
        connector = self.onebot.connector()
        self.onebot.token, self.onebot.refusal = "right", "http"
        results = self.begin(connector=connector)
        self.assertIn("refuses the token", self.refused(results))

    def test_wrongTokenByFrame(self) -> None:
        """
        So does one that is refused after the handshake, as NapCat does.
        """
        connector = self.onebot.connector()
        self.onebot.token, self.onebot.refusal = "right", "frame"
        results = self.begin(connector=connector)
        self.assertIn("refuses the token", self.refused(results))

    def test_rightToken(self) -> None:
        """
        The right token is accepted.
        """
        self.onebot.token = "right"
        self.signOn()
        self.stop()

    def test_anotherAccount(self) -> None:
        """
        A program that is signed on with another account is refused.
        """
        self.onebot.answers["get_login_info"] = {"user_id": 5, "nickname": "x"}
        self.assertIn("with the account 5", self.refused(self.begin()))

    def test_noAccount(self) -> None:
        """
        A program that names no account is asked again.
        """
        answers: list[Any] = [
            None,
            {},
            {"user_id": None},
            [],
            CallRefused(1200, "not yet"),
        ]
        for answer in answers:
            self.onebot.answers["get_login_info"] = answer
            results = self.begin()
            self.assertEqual(results, [])
            del self.onebot.answers["get_login_info"]
            self.onebot.settle(2)
            self.assertEqual(results, [self.factory.built[-1]])
            self.stop()

    def test_offline(self) -> None:
        """
        A program that is not signed on to QQ is asked again.
        """
        self.onebot.isOnline = False
        results = self.begin()
        self.onebot.settle(10)
        self.assertEqual(results, [])
        self.onebot.isOnline = True
        self.onebot.settle(2)
        self.assertEqual(results, self.factory.built)
        # The application has seen one attempt.
        self.assertEqual(len(self.factory.built), 1)
        self.stop()

    def test_noStatus(self) -> None:
        """
        A program that lacks C{get_status} counts as signed on.
        """
        self.onebot.answers["get_status"] = CallRefused(1404, "no such action")
        self.signOn()
        self.stop()

    def test_poorProgram(self) -> None:
        """
        A program that lacks most actions, and does not answer the others, serves for
        messages.
        """
        lacking = ("get_login_info", "get_status", "get_friend_list", "get_group_list")
        self.onebot.answers = dict.fromkeys(lacking, CallRefused(1404, "no"))
        protocol = self.signOn()
        self.onebot.tell(self.alice, "hi")
        self.assertEqual(protocol.heard, ["hi"])
        self.stop()
        self.onebot.answers = {}
        self.onebot.unanswered = {"get_friends_with_category"}
        self.begin()
        self.onebot.settle(6)
        self.assertIn("signedOn", self.factory.built[-1].log)
        # It is not asked again.
        self.onebot.loseLink()
        self.onebot.settle(2)
        self.assertIn("signedOn", self.factory.built[-1].log)
        self.stop()

    def test_anotherBySelfId(self) -> None:
        """
        A program that does not name its account is known by its events.
        """
        self.onebot.answers["get_login_info"] = CallRefused(1404, "no")
        self.onebot.warp = lambda frame: {**frame, "self_id": "5"}
        self.assertIn("with the account 5", self.refused(self.begin()))

    def test_noHello(self) -> None:
        """
        Programs need not send C{lifecycle}.
        """
        self.onebot.saysHello = False
        self.signOn()
        self.stop()

    def test_numbersAsTexts(self) -> None:
        """
        Numbers may be texts, in answers and events.
        """
        self.onebot.warp = numbersAsTexts
        protocol = self.signOn()
        self.assertEqual(list(protocol.buddies), [self.alice])
        self.onebot.tell(self.alice, "hi")
        self.onebot.heartbeat(30)
        self.assertEqual(protocol.heard, ["hi"])
        self.stop()

    def test_nulls(self) -> None:
        """
        C{null} in the place of lists and objects means nothing there.
        """
        for action in ("get_friend_list", "get_group_list", "get_status"):
            self.onebot.answers[action] = None
        protocol = self.signOn()
        self.assertEqual((protocol.buddies, protocol.groups), ({}, {}))
        self.stop()

    def test_nothingListens(self) -> None:
        """
        Connecting is tried until there is a program.
        """
        self.onebot.isListening = False
        results = self.begin()
        self.onebot.settle(30)
        self.assertEqual((results, self.onebot.connections), ([], 0))
        self.onebot.isListening = True
        self.onebot.settle(2)
        self.assertEqual(results, self.factory.built)
        self.stop()

    def test_slow(self) -> None:
        """
        Answers may take a while.
        """
        self.onebot.delay = 20
        results = self.begin()
        self.onebot.settle(100)
        self.assertEqual(results, self.factory.built)
        self.stop()

    def test_noAnswer(self) -> None:
        """
        A program that does not answer is connected to again.
        """
        self.onebot.unanswered.add("get_group_list")
        results = self.begin()
        self.onebot.settle(70)
        self.assertEqual((results, self.onebot.connections), ([], 2))
        self.onebot.unanswered.clear()
        self.onebot.settle(70)
        self.assertEqual(results, self.factory.built)
        self.stop()

    def test_earlyEvents(self) -> None:
        """
        Events that come before the lists are delivered after C{signedOn}, in order.
        """
        self.onebot.unanswered.add("get_group_list")
        self.begin()
        self.onebot.tell(self.alice, "1")
        self.onebot.notice("friend_add", user_id=self.alice)
        self.onebot.tell(self.alice, "2")
        (protocol,) = self.factory.built
        self.assertEqual(protocol.events, [])
        self.onebot.send({"echo": "4", "status": "ok", "data": []})
        self.onebot.send({"echo": "5", "status": "ok", "data": []})
        self.assertEqual(protocol.log[1], "signedOn")
        self.assertEqual(
            [type(event) for event in protocol.events], [Message, RosterChange, Message]
        )
        self.stop()

    def test_manyEarly(self) -> None:
        """
        The events that are kept have a limit; the last ones are.
        """
        self.patch(driver, "MAX_EARLY", 3)
        self.onebot.unanswered.add("get_group_list")
        self.begin()
        for n in range(9):
            self.onebot.tell(self.alice, str(n))
        for echo in "45":
            self.onebot.send({"echo": echo, "status": "ok", "data": []})
        self.assertEqual(self.factory.built[0].heard, ["6", "7", "8"])
        self.stop()

    def test_linkLost(self) -> None:
        """
        A lost link ends the sign-on, and another follows.
        """
        for lose in (
            self.onebot.loseLink,
            self.onebot.closeLink,
            lambda: self.onebot.loseLink(frame(TEXT, b'{"post_type": "me')[:9]),
            lambda: self.onebot.write(b"\xff\xff\xff"),
            lambda: self.onebot.closeLink(1011, "internal error"),
        ):
            first = self.signOn()
            lose()
            assert first.reason is not None
            first.reason.trap(SessionExpired)
            self.failureResultOf(first.sendMessage(self.alice, "x"), NotSignedOn)
            self.assertFalse(self.onebot.isLinked)
            self.onebot.settle(2)
            second = self.factory.built[-1]
            self.assertIsNot(first, second)
            self.assertEqual(second.log, ["connectionMade", "signedOn"])
            self.stop()

    def test_lostLog(self) -> None:
        """
        The log has one line for a lost link, and one for each attempt after it.
        """
        self.signOn()
        with capturedLogs() as logged:
            self.onebot.isListening = False
            self.onebot.loseLink()
            self.onebot.settle(1)
        lost, begun, failed = withoutStates(logged)
        self.assertEqual(
            lost,
            "Session lost (account 10001): the connection was lost: Connection was"
            " closed cleanly: Connection done; signing on again in 1.0 s.",
        )
        self.assertEqual(begun, "Signing on (account 10001).")
        self.assertEqual(
            failed,
            "Not signed on (account 10001): connecting failed: ConnectError: An error"
            " occurred while connecting; retrying in 1.0 s.",
        )
        self.stop()

    def test_lostWithSend(self) -> None:
        """
        A send that is not answered fails, and is not repeated.
        """
        protocol = self.signOn()
        self.onebot.unanswered.add("send_private_msg")
        sent = protocol.sendMessage(self.alice, "once")
        self.onebot.loseLink()
        error = self.failureResultOf(sent, Unreachable).value
        self.assertIn("may have been carried out", str(error))
        self.onebot.unanswered.clear()
        self.onebot.settle(100)
        self.assertEqual(self.onebot.said, ["once"])
        self.stop()

    def test_kicked(self) -> None:
        """
        C{bot_offline} ends the sign-on, and the account stays offline until a person
        signs on.
        """
        protocol = self.signOn()
        service = self.onebot.service
        assert service is not None
        off = service.whenSignedOff()
        self.onebot.tell(self.alice, "first")
        self.onebot.notice("bot_offline", user_id=10001, message="另一处登录")
        assert protocol.reason is not None
        protocol.reason.trap(Kicked)
        self.assertIn("另一处登录", protocol.reason.getErrorMessage())
        self.failureResultOf(off, Kicked)
        self.onebot.settle(600)
        self.assertEqual(self.onebot.connections, 1)
        self.assertEqual(self.onebot.clock.getDelayedCalls(), [])
        service.signOn()
        self.onebot.settle()
        self.assertEqual(self.factory.built[-1].log, ["connectionMade", "signedOn"])
        self.stop()

    def test_kickedEarly(self) -> None:
        """
        So it does while the lists are fetched.
        """
        self.onebot.unanswered.add("get_friend_list")
        results = self.begin()
        self.onebot.notice("bot_offline", tag="KickedOffLine")
        self.assertIn("KickedOffLine", self.refused(results))

    def test_heartbeatOffline(self) -> None:
        """
        A heartbeat that says offline ends the sign-on, and another follows when the
        program is online again.
        """
        protocol = self.signOn()
        self.onebot.isOnline = False
        self.onebot.heartbeat()
        assert protocol.reason is not None
        protocol.reason.trap(SessionExpired)
        self.onebot.settle(10)
        self.assertEqual(len(self.factory.built), 2)
        self.assertNotIn("signedOn", self.factory.built[1].log)
        self.onebot.isOnline = True
        self.onebot.settle(2)
        self.assertIn("signedOn", self.factory.built[1].log)
        self.stop()

    def test_heartbeatMissing(self) -> None:
        """
        A program whose heartbeats end counts as hung; one without any does not.
        """
        protocol = self.signOn()
        self.onebot.settle(600)
        self.assertIsNone(protocol.reason)
        for _ in range(5):
            self.onebot.heartbeat(30)
            self.onebot.settle(60)
        self.assertIsNone(protocol.reason)
        self.onebot.settle(40)
        assert protocol.reason is not None
        self.assertIn("no heartbeat", protocol.reason.getErrorMessage())
        self.stop()

    def test_strangeHeartbeats(self) -> None:
        """
        Heartbeats without an interval or a status change nothing.
        """
        protocol = self.signOn()
        for fields in (
            {},
            {"status": None, "interval": None},
            {"status": {}, "interval": -1},
            {"status": {"online": None}, "interval": "x"},
            {"status": [], "interval": 2**70},
        ):
            self.onebot.send(
                {"post_type": "meta_event", "meta_event_type": "heartbeat", **fields}
            )
        self.onebot.settle(100)
        self.assertIsNone(protocol.reason)
        self.stop()

    def test_hungPeer(self) -> None:
        """
        A peer that answers no pings is given up.
        """
        protocol = self.signOn()
        self.onebot._pumps.clear()
        self.onebot.clock.advance(30)
        self.onebot.clock.advance(30)
        client: Any = self.onebot.service
        (socket,) = client._driver._connector._sockets
        self.assertTrue(socket.transport.disconnecting)
        socket.connectionLost()
        assert protocol.reason is not None
        protocol.reason.trap(SessionExpired)
        self.onebot._peers.clear()
        self.onebot.settle(2)
        self.assertIn("signedOn", self.factory.built[-1].log)
        self.onebot.stop()

    def test_signOffInEachState(self) -> None:
        """
        Signing off ends each state, with nothing left.
        """
        for action in (
            "get_login_info",
            "get_status",
            "get_friend_list",
            "get_friends_with_category",
            "get_group_list",
        ):
            self.onebot.unanswered = {action}
            results = self.begin()
            self.stop()
            (failure,) = results
            failure.trap(NotSignedOn)
        self.onebot.isListening = False
        self.begin()
        self.stop()

    def test_signOffWithin(self) -> None:
        """
        The application may sign off within each callback.
        """
        for name in ("connectionMade", "signedOn", "messageReceived"):
            self.factory.within = {name: lambda protocol: protocol.signOff()}
            self.begin()
            self.onebot.tell(self.alice, "1")
            self.onebot.tell(self.alice, "2")
            protocol = self.factory.built[-1]
            self.assertEqual(protocol.log[-2:], [name, "connectionLost"])
            self.assertFalse(self.onebot.isLinked)
            self.assertEqual(self.onebot.clock.getDelayedCalls(), [])
            self.stop()

    def test_signOnWithin(self) -> None:
        """
        The application may sign on again within C{connectionLost}.
        """

        def again(protocol: Protocol) -> None:
            assert self.onebot.service is not None
            if len(self.factory.built) < 3:
                self.onebot.service.signOn()

        self.factory.within = {"connectionLost": again}
        self.signOn()
        self.onebot.notice("bot_offline")
        self.onebot.notice("bot_offline")
        self.onebot.settle(5)
        self.assertEqual(len(self.factory.built), 3)
        self.assertEqual(self.factory.built[-1].log, ["connectionMade", "signedOn"])
        self.onebot.tell(self.alice, "hi")
        self.assertEqual(self.factory.built[-1].heard, ["hi"])
        self.stop()

    def test_slowClose(self) -> None:
        """
        A link that takes long to close does not end the sign-on after it.
        """
        self.signOn()
        self.onebot.isOnline = False
        pumps = list(self.onebot._pumps)
        self.onebot.heartbeat()
        self.onebot._pumps.clear()
        self.onebot._peers.clear()
        self.onebot.isOnline = True
        self.onebot.settle(2)
        protocol = self.factory.built[-1]
        self.assertIn("signedOn", protocol.log)
        self.onebot._pumps.extend(pumps)
        self.onebot.settle(10)
        self.assertIsNone(protocol.reason)
        self.onebot.tell(self.alice, "hi")
        self.assertEqual(protocol.heard, ["hi"])
        self.stop()

    def test_failingCallbacks(self) -> None:
        """
        A callback that raises is logged, and all goes on.
        """

        def fail(protocol: Protocol) -> None:
            raise ZeroDivisionError

        self.factory.within = dict.fromkeys(
            ("connectionMade", "signedOn", "messageReceived", "connectionLost"), fail
        )
        protocol = self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.tell(self.alice, "2")
        self.assertEqual(protocol.heard, ["1", "2"])
        self.stop()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)

    def test_pace(self) -> None:
        """
        Messages are sent at a pace, which ends with the sign-on.
        """
        protocol = self.signOn(pace=Pace(3, 1.5))
        sent = [protocol.sendMessage(self.alice, str(n)) for n in range(6)]
        self.onebot.settle()
        self.assertEqual(self.onebot.said, ["0", "1", "2"])
        self.onebot.settle(1.6)
        self.assertEqual(self.onebot.said, ["0", "1", "2", "3"])
        self.stop()
        for each in sent[:4]:
            self.successResultOf(each)
        for each in sent[4:]:
            self.failureResultOf(each, WebQQError)
        self.assertEqual(self.onebot.said, ["0", "1", "2", "3"])

    def test_cancelledSend(self) -> None:
        """
        A message that waits for its turn is not sent when the application cancels it.
        """
        protocol = self.signOn(pace=Pace(1, 10.0))
        protocol.sendMessage(self.alice, "0")
        sent = protocol.sendGroupMessage(self.group, "1")
        later = protocol.sendMessage(self.alice, "2")
        self.onebot.settle()
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.onebot.settle(11)
        self.successResultOf(later)
        self.assertEqual(self.onebot.said, ["0", "2"])
        self.stop()

    def test_ownWords(self) -> None:
        """
        Messages that the account sends elsewhere are told, with their place.
        """
        protocol = self.signOn()
        own = int(self.onebot.number)
        first = self.onebot.sendElsewhere(self.alice, "sent")
        second = self.onebot.tellGroup(self.group, own, "own")
        told = []
        for message in protocol.events:
            assert isinstance(message, MessageSent)
            told.append((message.to, message.group, message.text, message.id))
        self.assertEqual(
            told, [(self.alice, 0, "sent", first), (0, self.group, "own", second)]
        )
        self.stop()

    def test_ownSends(self) -> None:
        """
        Messages and files that were sent by our own calls are not told, whether
        the program reports them before it answers or after that.
        """
        protocol = self.signOn()
        self.onebot.reportsOwn = True
        for delay in (0, 5):
            self.onebot.delay = delay
            self.onebot.result(protocol.sendMessage(self.alice, "1"), 5)
            self.onebot.result(protocol.sendGroupMessage(self.group, "2"), 5)
        self.assertEqual(protocol.events, [])
        # A report that comes after the answer.
        self.onebot.reportsOwn = False
        self.onebot.result(protocol.sendMessage(self.alice, "3"), 5)
        self.onebot.send(self.onebot.history[False, int(self.alice)][-1])
        self.assertEqual(protocol.events, [])
        self.stop()

    def test_elsewhereWhileSending(self) -> None:
        """
        A message of another client that comes while one is being sent is told when
        that has ended, also with a failure.
        """
        protocol = self.signOn()
        for failing in (False, True):
            self.onebot.delay = 5
            if failing:
                self.onebot.answers["send_private_msg"] = CallRefused(1200, "Timeout")
            sent = protocol.sendMessage(self.alice, "1").addErrback(lambda f: None)
            protocol.events.clear()
            self.onebot.sendElsewhere(self.alice, "2")
            self.assertEqual(protocol.events, [])
            self.onebot.result(sent, 5)
            (message,) = protocol.events
            assert isinstance(message, MessageSent)
            self.assertEqual(message.text, "2")
        self.stop()

    def test_linkLostWhileSending(self) -> None:
        """
        A message of another client is not lost with the link.
        """
        self.onebot.tell(self.alice, "0")
        protocol = self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.unanswered.add("send_private_msg")
        sent = protocol.sendMessage(self.alice, "2")
        self.onebot.sendElsewhere(self.alice, "3")
        # Only events have it, not the history.
        del self.onebot.history[False, int(self.alice)][-1]["target_id"]
        self.onebot.loseLink()
        self.failureResultOf(sent, Unreachable)
        self.onebot.settle(3)
        (message,) = self.factory.built[-1].events
        assert isinstance(message, MessageSent)
        self.assertEqual((message.to, message.text), (self.alice, "3"))
        self.stop()

    def test_roster(self) -> None:
        """
        Groups that the account joins and leaves are in its list, and not.
        """
        protocol = self.signOn()
        own = int(self.onebot.number)
        self.onebot.notice("group_increase", "invite", group_id=5, user_id=own)
        self.assertIn(5, protocol.groups)
        self.onebot.notice("group_decrease", "kick_me", group_id=5, user_id=own)
        self.assertNotIn(5, protocol.groups)
        self.stop()


class MissedTests(OneBotTestCase):
    """
    Messages that came while there was no link.
    """

    def away(self, happens: Callable[[], object]) -> Protocol:
        """
        Make a call while there is no link.

        @return: the protocol of the next sign-on.
        """
        self.onebot.isListening = False
        self.onebot.loseLink()
        happens()
        self.onebot.isListening = True
        self.onebot.settle(3)
        return self.factory.built[-1]

    def test_missed(self) -> None:
        """
        They are fetched from the history, in the order in which they came, and not
        those from before.
        """
        self.onebot.tell(self.alice, "before the first sign-on")
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.tellGroup(self.group, self.alice, "2")

        def happens() -> None:
            for n in range(3, 9):
                self.onebot.settle(1)
                if n % 2:
                    self.onebot.tell(self.alice, str(n))
                else:
                    self.onebot.tellGroup(self.group, self.alice, str(n))

        protocol = self.away(happens)
        self.assertEqual(protocol.heard, ["3", "4", "5", "6", "7", "8"])
        self.assertEqual(protocol.log[1], "signedOn")
        # And only once.
        self.assertEqual(self.away(lambda: None).heard, [])
        self.stop()

    def test_sameSecond(self) -> None:
        """
        Messages of one second are told apart by their ids.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        protocol = self.away(lambda: [self.onebot.tell(self.alice, x) for x in "23"])
        self.assertEqual(protocol.heard, ["2", "3"])
        self.stop()

    def test_many(self) -> None:
        """
        Several pages are fetched.
        """
        self.signOn()
        self.onebot.tellGroup(self.group, self.alice, "0")

        def happens() -> None:
            for n in range(1, 121):
                self.onebot.tellGroup(self.group, self.alice, str(n))

        protocol = self.away(happens)
        self.assertEqual(protocol.heard, [str(n) for n in range(1, 121)])
        self.stop()

    def test_liveAfterMissed(self) -> None:
        """
        New messages wait for the missed ones.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.unanswered.add("get_friend_msg_history")
        protocol = self.away(lambda: self.onebot.tell(self.alice, "2"))
        self.onebot.tell(self.alice, "3")
        self.assertEqual((protocol.log[1:], protocol.heard), (["signedOn"], []))
        history = self.onebot.history[False, self.alice]
        self.onebot.send({"echo": "5", "status": "ok", "data": {"messages": history}})
        self.assertEqual(protocol.heard, ["2", "3"])
        self.stop()

    def test_noHistory(self) -> None:
        """
        Without a history, or an answer, new messages do not wait for long.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.tellGroup(self.group, self.alice, "1")
        for answer in (
            CallRefused(1404, "x"),
            CallRefused(1200, "x"),
            None,
            {"messages": None},
        ):
            for action in ("get_friend_msg_history", "get_group_msg_history"):
                self.onebot.answers[action] = answer
            protocol = self.away(lambda: self.onebot.tell(self.alice, "lost"))
            self.onebot.tell(self.alice, "2")
            self.assertEqual(protocol.heard, ["2"])
        self.onebot.answers.clear()
        self.onebot.unanswered = {"get_friend_msg_history", "get_group_msg_history"}
        protocol = self.away(lambda: None)
        self.onebot.tell(self.alice, "3")
        self.onebot.settle(5)
        self.assertEqual(protocol.heard, [])
        self.onebot.settle(5)
        self.assertEqual(protocol.heard, ["3"])
        self.stop()

    def test_lostAgain(self) -> None:
        """
        A link that is lost while they are fetched loses none of them.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.unanswered.add("get_friend_msg_history")
        protocol = self.away(lambda: self.onebot.tell(self.alice, "2"))
        self.onebot.tell(self.alice, "3")
        self.onebot.unanswered.clear()
        protocol = self.away(lambda: self.onebot.tell(self.alice, "4"))
        self.assertEqual(protocol.heard, ["2", "3", "4"])
        self.stop()

    def test_signOffMeanwhile(self) -> None:
        """
        Signing off while they are fetched leaves nothing.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.unanswered.add("get_friend_msg_history")
        self.away(lambda: None)
        self.stop()

    def test_signOffWhilePaced(self) -> None:
        """
        So it does between two of the calls.
        """
        self.patch(missed, "BURST", 1)
        self.patch(missed, "INTERVAL", 100)
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.tellGroup(self.group, self.alice, "1")
        protocol = self.away(lambda: None)
        self.onebot.tell(self.alice, "2")
        self.assertEqual(protocol.heard, [])
        self.onebot.calls.clear()
        with capturedLogs() as logged:
            self.stop()
        self.assertEqual(self.onebot.calls, [])
        self.assertEqual(withoutStates(logged), ["Signed off (account 10001)."])

    def test_kickedMeanwhile(self) -> None:
        """
        C{bot_offline} does not wait for them.
        """
        self.signOn()
        self.onebot.tell(self.alice, "1")
        self.onebot.unanswered.add("get_friend_msg_history")
        protocol = self.away(lambda: None)
        self.onebot.notice("bot_offline")
        assert protocol.reason is not None
        protocol.reason.trap(Kicked)
        self.stop()

    def test_repeated(self) -> None:
        """
        A message that comes a second time, also over the next link, is dropped; one
        without an id is not.
        """
        protocol = self.signOn()
        self.onebot.tell(self.alice, "1")
        (event,) = self.onebot.history[False, self.alice]
        self.onebot.send(event)
        self.assertEqual(protocol.heard, ["1"])
        protocol = self.away(lambda: None)
        self.onebot.send(event)
        self.onebot.send({**event, "message_id": 77, "message": "2"})
        for _ in range(2):
            self.onebot.send({**event, "message_id": None, "message": "no id"})
        self.assertEqual(protocol.heard, ["2", "no id", "no id"])
        self.stop()

    def test_requestsAreKept(self) -> None:
        """
        A friend request can be answered over the next link.
        """
        protocol = self.signOn()
        self.onebot.request("friend", user_id=5, comment="hi", flag="F")
        (notice,) = protocol.events
        protocol = self.away(lambda: None)
        accepted: Deferred[None] = protocol.acceptFriendship(notice)  # type: ignore[arg-type]
        self.onebot.result(accepted)
        self.assertIn(
            ("set_friend_add_request", {"flag": "F", "approve": True, "remark": ""}),
            self.onebot.calls,
        )
        self.stop()

    def test_statusIsKept(self) -> None:
        """
        The presence that an account has set is still told in its next sign-on.
        """
        protocol = self.signOn()
        self.onebot.result(protocol.setStatus(Status.AWAY))
        self.assertEqual(self.away(lambda: None).transport.status, Status.AWAY)
        self.stop()
