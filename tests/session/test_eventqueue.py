"""
Events on their way to the application.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from txwebqq.errors import RequestRefused
from txwebqq.model import (
    Buddy,
    Event,
    FriendList,
    KickNotice,
    Profile,
    RosterChange,
    Status,
    StatusChange,
    Uin,
)
from txwebqq.roster import Roster
from txwebqq.session.eventqueue import MAX_LOOKED_UP, PATIENCE, EventQueue

BOB, CAROL, DAVE = Uin(7), Uin(8), Uin(9)
KICK = KickNotice("elsewhere")


def away(uin: Uin = BOB) -> Event:
    return StatusChange(uin, Status.AWAY)


def comes(*uins: Uin) -> Event:
    return RosterChange(tuple((uin, 0) for uin in uins))


def broken(event: Event) -> None:
    raise ZeroDivisionError


class DeliveryTests(SynchronousTestCase):
    """
    Bob is a friend already; the others are new.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.roster = Roster(FriendList({BOB: Buddy(BOB, "Bob")}))
        self.given: list[Event] = []
        self.asked: list[tuple[Uin, Deferred[Profile]]] = []
        self.cancelled: list[Uin] = []
        # What happens in the application, when an event is given to it.
        self.then: Callable[[Event], None] = lambda event: None
        self.eventQueue = EventQueue(
            lambda: self.roster, self.lookUp, self.handOver, self.clock
        )

    def lookUp(self, uin: Uin) -> Deferred[Profile]:
        asked: Deferred[Profile] = Deferred(lambda _: self.cancelled.append(uin))
        self.asked.append((uin, asked))
        return asked

    def handOver(self, event: Event) -> None:
        self.roster.apply(event)
        self.given.append(event)
        self.then(event)

    def push(self, *events: Event) -> None:
        for event in events:
            self.eventQueue.put(event)

    def answer(self, nick: str) -> None:
        """
        The oldest look-up is answered.
        """
        uin, asked = self.asked.pop(0)
        asked.callback(Profile(uin, nick))

    def names(self) -> list[str]:
        return [buddy.nick for buddy in self.roster.buddies.values()]

    def test_atOnce(self) -> None:
        """
        What brings nobody new is handed over at once, in order.
        """
        events = [away(), comes(BOB), away(CAROL)]
        self.push(*events)
        self.assertEqual(self.given, events)
        self.assertEqual(self.asked, [])

    def test_newcomer(self) -> None:
        """
        Somebody new is looked up before the application hears of them; what
        comes meanwhile waits its turn, and has its own newcomers looked up
        then.
        """
        events = [comes(CAROL), away(), comes(DAVE), away(DAVE)]
        self.push(*events)
        self.assertEqual(self.given, [])
        self.assertEqual([uin for uin, _ in self.asked], [CAROL])
        self.answer("Carol")
        self.assertEqual(self.given, events[:2])
        self.answer("Dave")
        self.assertEqual(self.given, events)
        self.assertEqual(self.names(), ["Bob", "Carol", "Dave"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_several(self) -> None:
        """
        An event that brings several waits for all of them, one after another.
        """
        event = comes(CAROL, BOB, DAVE)
        self.push(event)
        self.answer("Carol")
        self.assertEqual(self.given, [])
        self.answer("Dave")
        self.assertEqual(self.given, [event])
        self.assertEqual(sorted(self.names()), ["Bob", "Carol", "Dave"])

    def test_crowd(self) -> None:
        """
        Of very many only the first are looked up; the next event has its own
        share.
        """
        crowd = [Uin(100 + n) for n in range(MAX_LOOKED_UP + 5)]
        self.push(comes(*crowd), comes(DAVE))
        for uin in crowd[:MAX_LOOKED_UP]:
            self.assertEqual(self.asked[0][0], uin)
            self.answer("x")
        self.assertEqual(self.given, [comes(*crowd)])
        self.assertEqual(self.names().count("x"), MAX_LOOKED_UP)
        self.assertEqual(self.names().count(""), 5)
        self.answer("Dave")
        self.assertEqual(self.names()[-1], "Dave")

    def test_refused(self) -> None:
        """
        Whoever cannot be looked up comes without a name.
        """
        self.push(comes(CAROL), away())
        self.asked[0][1].errback(RequestRefused(100000, "no"))
        self.assertEqual(self.given, [comes(CAROL), away()])
        self.assertEqual(self.names(), ["Bob", ""])

    def test_patience(self) -> None:
        """
        A look-up without an answer keeps events waiting for so long only.
        """
        self.push(comes(CAROL), away())
        self.clock.advance(PATIENCE - 0.1)
        self.assertEqual(self.given, [])
        self.clock.advance(0.1)
        self.assertEqual(self.given, [comes(CAROL), away()])
        self.assertEqual(self.cancelled, [CAROL])
        self.assertEqual(self.names(), ["Bob", ""])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_kick(self) -> None:
        """
        Nothing comes after a kick, so what waits is handed over with it, and
        the look-up ends.
        """
        self.push(comes(CAROL), away(), KICK)
        self.assertEqual(self.given, [comes(CAROL), away(), KICK])
        self.assertEqual(self.cancelled, [CAROL])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flush(self) -> None:
        """
        After all was handed over things go on as before.
        """
        self.push(comes(CAROL))
        self.eventQueue.flush()
        self.assertEqual(self.given, [comes(CAROL)])
        self.asked.clear()
        self.push(comes(DAVE))
        self.answer("Dave")
        self.assertEqual(self.given, [comes(CAROL), comes(DAVE)])

    def test_endsAll(self) -> None:
        """
        An application that ends the sign-on when it hears something hears no
        more of what waited behind that.
        """
        self.push(comes(CAROL), away(), away(DAVE))
        self.then = lambda event: self.eventQueue.flush()
        self.answer("Carol")
        self.assertEqual(self.given, [comes(CAROL)])

    def test_pushedMeanwhile(self) -> None:
        """
        What comes while an event is handed over is handed over after it.
        """
        more = [away(CAROL), away(DAVE)]

        def then(event: Event) -> None:
            if more:
                self.push(more.pop(0))

        self.then = then
        self.push(away())
        self.assertEqual(self.given, [away(), away(CAROL), away(DAVE)])

    def test_inMemory(self) -> None:
        """
        A look-up that is answered before it returns, or fails so, is no
        different.
        """
        answers = [succeed(Profile(CAROL, "Carol")), fail(RequestRefused(1, "no"))]
        self.eventQueue = EventQueue(
            lambda: self.roster, lambda _: answers.pop(0), self.handOver, self.clock
        )
        self.push(comes(CAROL, DAVE), away())
        self.assertEqual(self.given, [comes(CAROL, DAVE), away()])
        self.assertEqual(self.names(), ["Bob", "Carol", ""])

    def test_manyWait(self) -> None:
        """
        Very many events may wait for one look-up.
        """
        self.push(comes(CAROL), *[away()] * 5000)
        self.answer("Carol")
        self.assertEqual(len(self.given), 5001)

    def test_ourBug(self) -> None:
        """
        A failure of ours while we go on is logged, and not taken for one of
        the look-up.
        """
        self.push(comes(CAROL))
        self.then = broken
        self.answer("Carol")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.given, [comes(CAROL)])

    def test_afterOurBug(self) -> None:
        """
        An event whose handing over failed keeps back none of those behind it.
        """
        events = [comes(CAROL), away(), comes(DAVE), away(DAVE)]
        self.push(*events)
        self.then = broken
        self.answer("Carol")
        self.answer("Dave")
        self.push(away())
        self.assertEqual(self.given, [*events, away()])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 5)
