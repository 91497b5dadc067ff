"""
The event queue: order of delivery, and profiles of new friends.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.errors import RequestRefused
from txwebqq.interfaces import IWebQQTransport
from txwebqq.model import (
    Account,
    Buddy,
    Event,
    FriendList,
    KickNotice,
    Number,
    Profile,
    RosterChange,
    Status,
    StatusChange,
    Uin,
)
from txwebqq.protocol import WebQQProtocol
from txwebqq.roster import Roster
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.callbacks import CallbackQueue, GuardedProtocol
from txwebqq.session.eventqueue import LOOKUP_TIMEOUT, MAX_LOOKED_UP, EventQueue
from txwebqq.session.rostersync import RosterSyncService
from txwebqq.wire.commands.contacts import GetFriendInfo2
from txwebqq.wire.form import Ticket

ME = Number(10001)
BOB, CAROL, DAVE = Uin(7), Uin(8), Uin(9)
KICK = KickNotice("elsewhere")


def away(uin: Uin = BOB) -> Event:
    return StatusChange(uin, Status.AWAY)


def comes(*uins: Uin) -> Event:
    return RosterChange(tuple((uin, 0) for uin in uins))


class WatchedRoster(Roster):
    """
    A roster that records events, and can raise an exception.
    """

    def __init__(self) -> None:
        super().__init__(FriendList({BOB: Buddy(BOB, "Bob")}))
        self.applied: list[Event] = []
        self.isBroken = False

    def apply(self, event: Event) -> None:
        self.applied.append(event)
        if self.isBroken:
            raise ZeroDivisionError
        super().apply(event)


class Transport:
    """
    Leaves requests for profiles open until the test replies.
    """

    def __init__(self) -> None:
        self.roster = WatchedRoster()
        self.requests: list[tuple[Uin, Deferred[Profile]]] = []
        self.cancelled: list[Uin] = []
        self.replies: list[Deferred[Profile]] = []

    def call(
        self, make: Callable[[Ticket, Uin], GetFriendInfo2], uin: Uin
    ) -> Deferred[Profile]:
        if self.replies:
            return self.replies.pop(0)
        assert make(Ticket(), uin).uin == uin
        request: Deferred[Profile] = Deferred(lambda _: self.cancelled.append(uin))
        self.requests.append((uin, request))
        return request


class RecordingProtocol(WebQQProtocol):
    """
    Records events, and calls a function of the test with each.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.then: Callable[[Event], None] = lambda event: None

    def eventReceived(self, event: Event) -> None:
        self.events.append(event)
        self.then(event)


class EventQueueTests(SynchronousTestCase):
    """
    Bob is a friend already; the others are new.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = Transport()
        self.protocol = RecordingProtocol()
        account = Account(ME, "")
        transport = cast(IWebQQTransport, self.transport)
        self.eventQueue = EventQueue(
            ME,
            transport,
            GuardedProtocol(self.protocol, account, CallbackQueue()),
            RosterSyncService(ME, transport, self.clock),
            Acknowledgement(),
            self.clock,
        )

    def push(self, *events: Event) -> None:
        """
        Put events, the first of them in a batch of its own.
        """
        self.eventQueue.put(events[:1])
        self.eventQueue.put(events[1:])

    def answer(self, nick: str) -> None:
        """
        Reply to the oldest request.
        """
        uin, request = self.transport.requests.pop(0)
        request.callback(Profile(uin, nick))

    def names(self) -> list[str]:
        return [buddy.nick for buddy in self.transport.roster.buddies.values()]

    def test_atOnce(self) -> None:
        """
        Events that add no friends are delivered at once, in order.
        """
        events = [away(), comes(BOB), away(CAROL)]
        self.push(*events)
        self.assertEqual(self.protocol.events, events)
        self.assertEqual(self.transport.requests, [])

    def test_newcomer(self) -> None:
        """
        An unknown account is looked up before the application gets its event;
        later events wait, and their own unknown accounts are looked up then.
        """
        events = [comes(CAROL), away(), comes(DAVE), away(DAVE)]
        self.push(*events)
        self.assertEqual(self.protocol.events, [])
        self.assertEqual([uin for uin, _ in self.transport.requests], [CAROL])
        self.answer("Carol")
        self.assertEqual(self.protocol.events, events[:2])
        self.answer("Dave")
        self.assertEqual(self.protocol.events, events)
        self.assertEqual(self.names(), ["Bob", "Carol", "Dave"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_several(self) -> None:
        """
        An event that adds several friends waits for their look-ups, one after
        another.
        """
        event = comes(CAROL, BOB, DAVE)
        self.push(event)
        self.answer("Carol")
        self.assertEqual(self.protocol.events, [])
        self.answer("Dave")
        self.assertEqual(self.protocol.events, [event])
        self.assertEqual(sorted(self.names()), ["Bob", "Carol", "Dave"])

    def test_crowd(self) -> None:
        """
        Only a limited number of an event's accounts are looked up; the next
        event has its own limit.
        """
        crowd = [Uin(100 + n) for n in range(MAX_LOOKED_UP + 5)]
        self.push(comes(*crowd), comes(DAVE))
        for uin in crowd[:MAX_LOOKED_UP]:
            self.assertEqual(self.transport.requests[0][0], uin)
            self.answer("x")
        self.assertEqual(self.protocol.events, [comes(*crowd)])
        self.assertEqual(self.names().count("x"), MAX_LOOKED_UP)
        self.assertEqual(self.names().count(""), 5)
        self.answer("Dave")
        self.assertEqual(self.names()[-1], "Dave")

    def test_refused(self) -> None:
        """
        A new friend whose look-up is refused has no name.
        """
        self.push(comes(CAROL), away())
        self.transport.requests[0][1].errback(RequestRefused(100000, "no"))
        self.assertEqual(self.protocol.events, [comes(CAROL), away()])
        self.assertEqual(self.names(), ["Bob", ""])

    def test_timeout(self) -> None:
        """
        Events wait for a look-up without a reply until it times out.
        """
        self.push(comes(CAROL), away())
        self.clock.advance(LOOKUP_TIMEOUT - 0.1)
        self.assertEqual(self.protocol.events, [])
        self.clock.advance(0.1)
        self.assertEqual(self.protocol.events, [comes(CAROL), away()])
        self.assertEqual(self.transport.cancelled, [CAROL])
        self.assertEqual(self.names(), ["Bob", ""])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kick(self) -> None:
        """
        Waiting events are delivered before a kick, and the look-up is
        cancelled.
        """
        self.push(comes(CAROL), away(), KICK)
        self.assertEqual(self.protocol.events, [comes(CAROL), away(), KICK])
        self.assertEqual(self.transport.cancelled, [CAROL])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flush(self) -> None:
        """
        Events after a flush are delivered as before.
        """
        self.push(comes(CAROL))
        self.eventQueue.flush()
        self.assertEqual(self.protocol.events, [comes(CAROL)])
        self.transport.requests.clear()
        self.push(comes(DAVE))
        self.answer("Dave")
        self.assertEqual(self.protocol.events, [comes(CAROL), comes(DAVE)])

    def test_endsAll(self) -> None:
        """
        An application that ends the sign-on while it handles an event gets none
        of the events that waited behind it.
        """
        self.push(comes(CAROL), away(), away(DAVE))
        dropped: list[Event] = []
        self.protocol.then = lambda event: dropped.extend(self.eventQueue.flush())
        self.answer("Carol")
        self.assertEqual(self.protocol.events, [comes(CAROL)])
        self.assertEqual(dropped[::-1], [away(), away(DAVE)])

    def test_pushedMeanwhile(self) -> None:
        """
        An event that arrives during a delivery is delivered after it.
        """
        more = [away(CAROL), away(DAVE)]

        def then(event: Event) -> None:
            if more:
                self.push(more.pop(0))

        self.protocol.then = then
        self.push(away())
        self.assertEqual(self.protocol.events, [away(), away(CAROL), away(DAVE)])

    def test_inMemory(self) -> None:
        """
        A look-up may end before its Deferred is returned.
        """
        self.transport.replies = [
            succeed(Profile(CAROL, "Carol")),
            fail(RequestRefused(1, "no")),
        ]
        self.push(comes(CAROL, DAVE), away())
        self.assertEqual(self.protocol.events, [comes(CAROL, DAVE), away()])
        self.assertEqual(self.names(), ["Bob", "Carol", ""])

    def test_manyWait(self) -> None:
        """
        Very many events may wait for one look-up.
        """
        self.push(comes(CAROL), *[away()] * 5000)
        self.answer("Carol")
        self.assertEqual(len(self.protocol.events), 5001)

    def test_internalError(self) -> None:
        """
        An exception of our own during delivery is logged, and not taken for a
        failure of the request.
        """
        self.push(comes(CAROL))
        self.transport.roster.isBroken = True
        self.answer("Carol")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.transport.roster.applied, [comes(CAROL)])

    def test_afterInternalError(self) -> None:
        """
        An event whose delivery failed holds up none of the events behind it.
        """
        events = [comes(CAROL), away(), comes(DAVE), away(DAVE)]
        self.push(*events)
        self.transport.roster.isBroken = True
        self.answer("Carol")
        self.answer("Dave")
        self.push(away())
        self.assertEqual(self.transport.roster.applied, [*events, away()])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)
        self.transport.roster.isBroken = False
        self.push(away(DAVE))
        self.assertEqual(self.protocol.events, [away(DAVE)])

    def test_applicationError(self) -> None:
        """
        An event whose callback raises an exception holds up none of the events
        behind it.
        """

        def fail(event: Event) -> None:
            raise ZeroDivisionError

        self.push(comes(CAROL), away())
        self.protocol.then = fail
        self.answer("Carol")
        self.assertEqual(self.protocol.events, [comes(CAROL), away()])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
