"""
Acknowledgement of poll replies by number, and recognition of repeated replies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from tests.rig import (
    HTML,
    KICK,
    LOGIN2,
    LOGOUT2,
    NO_EVENTS,
    POLL,
    CallbackLog,
    RecordedPolls,
    Rig,
    batch,
    envelope,
    message,
)
from txwebqq.interfaces import IEventHold
from txwebqq.model import (
    Code,
    Event,
    FriendshipNotice,
    FriendshipStep,
    Gid,
    GroupNotice,
    GroupStep,
    KickNotice,
    Message,
    Number,
    OfflineFile,
    RosterChange,
    Shake,
    Status,
    StatusChange,
    Text,
    Typing,
    Uin,
    UnknownEvent,
)
from txwebqq.session.acknowledgement import Acknowledgement
from txwebqq.session.eventfilter import EventFilter
from txwebqq.session.eventqueue import LOOKUP_TIMEOUT, MAX_LOOKED_UP, EventQueue
from txwebqq.session.incoming.holds import EventHold
from txwebqq.session.polling import LULL
from txwebqq.sessionfile import Acknowledged
from txwebqq.wire.commands.signon import Logout2
from txwebqq.wire.form import Form

PROFILE = "/api/get_friend_info2"
EXPIRED = b'{"retcode":121,"t":"0"}'
DOUBT = b'{"retcode":103,"errmsg":""}'

BOB, CAROL, DAVE = Uin(7), Uin(8), Uin(9)
ME = Number(10001)

Flush = Callable[..., list[Failure]]


def words(text: str, time: int = 0, sender: Uin = BOB, number: int = 0) -> Message:
    """
    Make a message from a friend, without ids if it has no number.
    """
    return Message(sender, ME, (Text(text),), time, number, number)


REQUEST = FriendshipNotice(FriendshipStep.REQUESTED, CAROL, text="let me in")
NOTICE = GroupNotice(GroupStep.DENIED, Gid(3), Code(4), Number(5))
FILE = OfflineFile(BOB, "cat.jpg", 5, "key", "127.0.0.1", 80, time=1)
AWAY = StatusChange(BOB, Status.AWAY)
TYPING = Typing(BOB, ME)
SHAKE = Shake(BOB, ME)
A, B, C = words("a", 1), words("b", 2), words("c", 3)


# The number.


def begin(acknowledgement: Acknowledgement, number: int, *events: Event) -> list[Event]:
    """
    Begin a reply with events, in the order of delivery.
    """
    assert not acknowledgement.isKnown(number)
    return acknowledgement.begin(number, list(events))


def deliver(acknowledgement: Acknowledgement, *events: Event) -> None:
    """
    Deliver events to the application.
    """
    for event in events:
        acknowledgement.delivering(event)
        acknowledgement.delivered()


def test_last() -> None:
    """
    A reply is acknowledged from its last event on, and not before.
    """
    acknowledgement = Acknowledgement()
    assert acknowledgement.number == 0
    assert begin(acknowledgement, 7, A, B) == [A, B]
    assert acknowledgement.isPending
    deliver(acknowledgement, A)
    assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
    deliver(acknowledgement, B)
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_noEvents() -> None:
    """
    A reply without events that are new is acknowledged at once.
    """
    acknowledgement = Acknowledgement()
    assert begin(acknowledgement, 7) == []
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_known() -> None:
    """
    Numbers up to the last one that began are known, later ones are not; nor is
    a reply without a number.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A)
    expected = [(None, False), (6, True), (7, True), (8, False)]
    assert [(n, acknowledgement.isKnown(n)) for n, _ in expected] == expected
    deliver(acknowledgement, A)
    assert [(n, acknowledgement.isKnown(n)) for n, _ in expected] == expected


def test_whenDelivered() -> None:
    """
    A Deferred for the end of a reply fires when its last event was delivered, not
    just before, unless it was cancelled.
    """
    acknowledgement = Acknowledgement()
    acknowledged: list[int] = []
    begin(acknowledgement, 7, A)
    acknowledgement.whenDelivered().addCallback(
        lambda _: acknowledged.append(acknowledgement.number)
    )
    cancelled: Deferred[None] = acknowledgement.whenDelivered()
    cancelled.addErrback(lambda _: None)
    cancelled.cancel()
    acknowledgement.delivering(A)
    assert acknowledgement.number == 7
    assert acknowledged == []
    acknowledgement.delivered()
    assert acknowledged == [7]


EARLIER = UnknownEvent("buddies_status_change", {"uin": 7, "status": "new"})
LATER = UnknownEvent("news", {})


@pytest.mark.parametrize(
    ("first", "delivered", "again", "rest"),
    [
        ([A, B, C], 1, [A, B, C], [B, C]),
        ([A, B, C], 2, [A, B, C], [C]),
        ([A, B, C], 0, [A, B, C], [A, B, C]),
        ([REQUEST, NOTICE, FILE], 1, [REQUEST, NOTICE, FILE], [NOTICE, FILE]),
        # Transient events are not repeated.
        ([AWAY, TYPING, SHAKE, A, B], 2, [A, B], [A, B]),
        ([AWAY, A, TYPING, B, SHAKE], 2, [A, B], [B]),
        ([A, AWAY, B], 1, [A, B], [B]),
        ([A, AWAY, TYPING, B], 3, [A, B], [B]),
        ([EARLIER, A, B], 2, [A, B], [B]),
        ([LATER, A, B], 2, [LATER, A, B], [B]),
        ([A, AWAY], 1, [A], []),
        ([A, KickNotice("elsewhere")], 1, [A], []),
        # Nevertheless they may be.
        ([AWAY, A, B], 2, [AWAY, A, B], [B]),
    ],
)
def test_interrupted(
    first: list[Event], delivered: int, again: list[Event], rest: list[Event]
) -> None:
    """
    A reply that was delivered in part is not acknowledged. When the server
    repeats it, only its other events are delivered, and then it is
    acknowledged.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, *first)
    deliver(acknowledgement, *first[:delivered])
    acknowledgement.interrupt()
    assert (acknowledgement.number, acknowledgement.isPending) == (0, False)
    assert begin(acknowledgement, 7, *again) == rest
    deliver(acknowledgement, *rest)
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_interruptedAgain() -> None:
    """
    Of a reply that is interrupted several times only the rest is delivered each
    time, also when nothing was delivered in between.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, AWAY, A, B, C)
    deliver(acknowledgement, AWAY, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [B, C]
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [B, C]
    deliver(acknowledgement, B)
    acknowledgement.interrupt()
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, TYPING, A, B, C) == [C]
    deliver(acknowledgement, C)
    assert acknowledgement.number == 7


def test_interruptedThenAnother() -> None:
    """
    All events of another reply after an interrupted one are delivered.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    deliver(acknowledgement, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 8, B, C) == [B, C]
    deliver(acknowledgement, B)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 8, B, C) == [C]


@pytest.mark.parametrize("again", [[A, C], [B, C], [NOTICE, A, B, C]])
def test_interruptedThenChanged(again: list[Event]) -> None:
    """
    When the server repeats the reply with more or fewer lasting events, because
    another client of the account has acknowledged some by their ids, all of
    them are delivered: a duplicate is better than a loss.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, AWAY, A, B, C)
    deliver(acknowledgement, AWAY, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, *again) == again
    deliver(acknowledgement, again[0])
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, *again) == again[1:]


def test_notInterrupted() -> None:
    """
    A reply that was delivered completely stays acknowledged.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A)
    deliver(acknowledgement, A)
    acknowledgement.interrupt()
    assert acknowledgement.number == 7
    assert acknowledgement.isKnown(7)


def test_orderAgain() -> None:
    """
    Lasting events have the same order with and without transient ones among
    them and with any uins, so a count of them tells which were delivered.
    """
    first: list[Event] = [C, REQUEST, AWAY, B, NOTICE, TYPING, A, FILE, SHAKE]
    again: list[Event] = [
        replace(C, sender=DAVE),
        replace(REQUEST, uin=DAVE),
        replace(B, sender=DAVE),
        NOTICE,
        replace(A, sender=DAVE),
        replace(FILE, sender=DAVE),
    ]
    transient = (AWAY, TYPING, SHAKE)
    kept = [
        first.index(e) for e in EventFilter().filterBatch(first) if e not in transient
    ]
    places = [first.index(e) for e in (C, REQUEST, B, NOTICE, A, FILE)]
    assert kept == [places[again.index(e)] for e in EventFilter().filterBatch(again)]


# Polls.


class EventLog(CallbackLog):
    """
    Records all events that it receives.
    """

    def eventReceived(self, event: Event) -> object:
        if not isinstance(event, Message | KickNotice):
            self.log.append(type(event).__name__)
        return super().eventReceived(event)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """
    A client whose protocols log all events.
    """
    rig = Rig()
    rig.factory.protocol = EventLog
    yield rig
    rig.finish()


def scriptPolls(rig: Rig, *answers: bytes) -> RecordedPolls:
    """
    Start with these replies to the first polls, and none to later ones.
    """
    polls = RecordedPolls(*answers)
    rig.polls(*[polls] * (len(answers) + 50))
    return polls


def acks(polls: RecordedPolls) -> list[int | None]:
    return [poll.ack for poll in polls.polls]


def test_acknowledged(rig: Rig) -> None:
    """
    A poll acknowledges the last reply that was delivered, 0 at first. A reply
    without events has no number and changes nothing.
    """
    first = batch(message(1, 5, "a"), envelope(AWAY), ack=7)
    polls = scriptPolls(rig, first, batch(message(2, 6, "b"), ack=900), NO_EVENTS)
    assert acks(polls) == [0, 7, 900, 900]
    assert [poll.ids for poll in polls.polls] == [(), ("5",), ("6",), ()]
    assert rig.protocol.log == ["made", "on", "StatusChange", "a", "b"]


def test_unnumbered(rig: Rig) -> None:
    """
    Polls at a server that numbers no replies acknowledge messages by their ids,
    and no number.
    """
    again = message(1, 5, "a")
    polls = scriptPolls(rig, batch(again), batch(again, message(2, 6, "b")), NO_EVENTS)
    assert acks(polls) == [0, 0, 0, 0]
    assert [poll.ids for poll in polls.polls] == [(), ("5",), ("6",), ()]
    assert rig.protocol.log == ["made", "on", "a", "b"]


def test_repeated(rig: Rig) -> None:
    """
    A repeated or earlier reply is dropped completely, also its events without
    ids; later replies are delivered.
    """
    events: list[Event] = [REQUEST, NOTICE, FILE, words("a"), AWAY]
    reply = batch(*map(envelope, events), ack=7)
    earlier = batch(envelope(words("b")), ack=6)
    after = batch(envelope(words("c")), ack=8)
    polls = scriptPolls(rig, reply, reply, earlier, reply, after)
    rig.web.settle(5)
    heard = ["StatusChange", "a", "GroupNotice", "FriendshipNotice", "OfflineFile"]
    assert rig.protocol.log == ["made", "on", *heard, "c"]
    assert acks(polls) == [0, 7, 7, 7, 7, 8]


def test_repeatedNotHot(rig: Rig) -> None:
    """
    A server that gives the same reply again and again is polled once a second.
    """
    polls = scriptPolls(rig, *[batch(envelope(words("a")), ack=7)] * 100)
    rig.web.settle(20)
    assert len(polls.polls) <= 24
    assert rig.protocol.log == ["made", "on", "a"]


def test_failedPoll(rig: Rig) -> None:
    """
    After a failed poll, the next one acknowledges the same number.
    """
    polls = scriptPolls(rig, batch(message(1, 5, "a"), ack=7), HTML, NO_EVENTS)
    rig.web.settle(3)
    assert acks(polls) == [0, 7, 7, 7]


@pytest.mark.parametrize("relinked", [True, False])
def test_nextSession(rig: Rig, relinked: bool) -> None:
    """
    The number outlives the session, through a rejoin and through the sign-on
    after a refused one. Events that are repeated then are dropped, with any
    uins.
    """
    rig.start()
    if not relinked:
        rig.server.replies[LOGIN2] = [DOUBT]
    again = batch(envelope(replace(A, sender=DAVE)), envelope(REQUEST), ack=7)
    polls = RecordedPolls(batch(envelope(A), ack=7), EXPIRED, again)
    rig.server.replies[POLL] = [polls] * 9
    rig.web.settle(70)
    assert acks(polls) == [0, 7, 7, 7]
    assert len(rig.factory.protocols) == (1 if relinked else 2)
    assert [line for log in rig.factory.logs for line in log if line == "a"] == ["a"]
    assert "FriendshipNotice" not in rig.protocol.log


def test_afterKick(rig: Rig) -> None:
    """
    The reply with a kick is delivered completely, and acknowledged after the
    next sign-on.
    """
    polls = scriptPolls(rig, batch(message(1, 5, "a"), KICK, ack=7))
    assert rig.protocol.log == ["made", "on", "a", "kicked", "Kicked"]
    rig.service.signOn()
    rig.web.settle()
    assert rig.protocol.log == ["made", "on"]
    assert acks(polls) == [0, 7]


# Look-ups.

CAROL_COMES = envelope(RosterChange(((CAROL, 0),)))


def test_afterLookUp(rig: Rig) -> None:
    """
    The poll after a reply waits for the look-ups of its events, and
    acknowledges it then.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    polls = scriptPolls(rig, batch(CAROL_COMES, message(1, 5, "a"), ack=7))
    rig.web.settle(LOOKUP_TIMEOUT - 1)
    assert acks(polls) == [0]
    assert rig.protocol.log == ["made", "on"]
    rig.web.settle(1)
    assert rig.protocol.log == ["made", "on", "RosterChange", "a"]
    assert acks(polls) == [0, 7]
    rig.web.settle(60)
    assert acks(polls) == [0, 7]


def test_storedAfterLookUp(rig: Rig) -> None:
    """
    A call that the application schedules when it is given the last event is made
    before the poll that acknowledges it.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    stored: list[list[int | None]] = []
    rig.factory.onMessage = lambda _: rig.web.clock.callLater(
        0, lambda: stored.append(acks(polls))
    )
    polls = scriptPolls(rig, batch(CAROL_COMES, message(1, 5, "a"), ack=7))
    rig.web.settle(LOOKUP_TIMEOUT)
    assert stored == [[0]]
    assert acks(polls) == [0, 7]


def test_afterLookUpUnnumbered(rig: Rig) -> None:
    """
    After a reply without a number no poll waits, but messages that wait for a
    look-up are not confirmed.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    reply = batch(CAROL_COMES, message(1, 5, "a"))
    polls = scriptPolls(rig, reply, NO_EVENTS, NO_EVENTS)
    rig.web.settle(LULL)
    assert acks(polls) == [0, 0, 0, 0]
    assert {poll.ids for poll in polls.polls} == {()}
    assert rig.protocol.log == ["made", "on"]


CROWD = envelope(RosterChange(tuple((Uin(100 + n), 0) for n in range(5))))


def test_longLookUps(rig: Rig) -> None:
    """
    Look-ups delay a poll by half a minute at most. The reply that is repeated
    then is not queued again, and polls are at least half a minute apart as long
    as look-ups last.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    reply = batch(CROWD, envelope(A), ack=7)
    polls = scriptPolls(rig, reply, reply, batch(envelope(B), ack=8))
    rig.web.settle(29)
    assert acks(polls) == [0]
    rig.web.settle(1)
    assert acks(polls) == [0, 0]
    assert rig.protocol.log == ["made", "on"]
    rig.web.settle(19)
    assert acks(polls) == [0, 0]
    rig.web.settle(1)
    assert acks(polls) == [0, 0, 7, 8]
    assert rig.protocol.log == ["made", "on", "RosterChange", "a", "b"]


def test_longestLookUps(rig: Rig) -> None:
    """
    A poll is sent every half minute for as long as look-ups last.
    """
    assert MAX_LOOKED_UP * LOOKUP_TIMEOUT > 120
    crowd = RosterChange(tuple((Uin(100 + n), 0) for n in range(MAX_LOOKED_UP)))
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * MAX_LOOKED_UP
    reply = batch(envelope(crowd), envelope(A), ack=7)
    polls = scriptPolls(rig, *[reply] * 7)
    rig.web.settle(MAX_LOOKED_UP * LOOKUP_TIMEOUT)
    assert acks(polls) == [0] * 7 + [7]
    assert rig.protocol.log == ["made", "on", "RosterChange", "a"]


def test_deliveredDuringPoll(rig: Rig) -> None:
    """
    A reply that is delivered while the next poll is open is dropped when that
    poll repeats it, and acknowledged then.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    held: list[Request] = []

    def hold(request: Request) -> int:
        polls(request)
        held.append(request)
        return NOT_DONE_YET

    reply = batch(CROWD, envelope(A), ack=7)
    polls = RecordedPolls(reply)
    rig.polls(polls, hold, polls)
    rig.web.settle(50)
    assert rig.protocol.log == ["made", "on", "RosterChange", "a"]
    assert acks(polls) == [0, 0]
    held[0].write(reply)
    held[0].finish()
    rig.web.settle()
    assert acks(polls) == [0, 0, 7]
    assert rig.protocol.log == ["made", "on", "RosterChange", "a"]


def test_rejoinDuringLookUps(rig: Rig) -> None:
    """
    Events that wait for look-ups during a rejoin are not queued again after it.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    reply = batch(CROWD, envelope(A), ack=7)
    polls = scriptPolls(rig, reply, EXPIRED, reply)
    rig.web.settle(49)
    assert acks(polls) == [0, 0, 0]
    rig.web.settle(1)
    assert acks(polls) == [0, 0, 0, 7]
    assert rig.factory.logs == [["made", "on", "RosterChange", "a"]]


def test_lostDuringLookUps(rig: Rig) -> None:
    """
    When the session is lost, events that wait for look-ups are delivered, so
    the next session acknowledges them.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    polls = scriptPolls(rig, batch(CROWD, envelope(A), ack=7), DOUBT, DOUBT)
    rig.web.settle(40)
    heard = ["RosterChange", "a"]
    assert rig.factory.logs == [
        ["made", "on", *heard, "SessionExpired"],
        ["made", "on"],
    ]
    assert acks(polls) == [0, 0, 0, 7]


def test_kickDuringLookUp(rig: Rig) -> None:
    """
    At a kick, events that wait for a look-up are delivered before it, so the
    reply is acknowledged.
    """
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    polls = scriptPolls(rig, batch(CAROL_COMES, envelope(A), KICK, ack=7))
    heard = ["RosterChange", "a", "kicked"]
    assert rig.protocol.log == ["made", "on", *heard, "Kicked"]
    rig.service.signOn()
    rig.web.settle()
    assert acks(polls) == [0, 7]


# Signing off.


def logoutAcks(rig: Rig) -> list[int | None]:
    """
    Return a list that gets the acknowledged number of each logout.
    """
    acknowledged: list[int | None] = []

    def remember(request: Request) -> bytes:
        query = request.uri.partition(b"?")[2]
        acknowledged.append(Logout2.decodeFields(Form.parse(query)).ack)
        return b'{"retcode":0,"result":"ok"}'

    rig.server.replies[LOGOUT2] = [remember] * 9
    return acknowledged


def signOffAt(rig: Rig, *texts: str) -> None:
    """
    Have the application sign off when it receives this message.
    """

    def heard(message: Message) -> None:
        if message.text in texts:
            rig.protocol.signOff()

    rig.factory.onMessage = heard


def test_logout(rig: Rig) -> None:
    """
    A logout acknowledges the reply that no poll has acknowledged yet.
    """
    acknowledged = logoutAcks(rig)
    scriptPolls(rig, batch(message(1, 5, "a"), ack=7))
    rig.web.result(rig.service.stopService())
    assert acknowledged == [7]


def test_logoutUnnumbered(rig: Rig) -> None:
    """
    The number of a logout is 0 when no reply had one.
    """
    acknowledged = logoutAcks(rig)
    scriptPolls(rig, batch(message(1, 5, "a")))
    rig.web.result(rig.service.stopService())
    assert acknowledged == [0]


def test_signOffAtTheEnd(rig: Rig) -> None:
    """
    When the application signs off at the last event of a reply, the logout
    acknowledges the reply.
    """
    acknowledged = logoutAcks(rig)
    signOffAt(rig, "b")
    polls = scriptPolls(rig, batch(envelope(A), envelope(B), ack=7))
    assert rig.protocol.log == ["made", "on", "a", "b", "ConnectionDone"]
    assert acknowledged == [7]
    rig.service.signOn()
    rig.web.settle()
    assert acks(polls) == [0, 7]


def test_signOffInTheMiddle(rig: Rig) -> None:
    """
    When the application signs off in the middle of a reply, the rest of it is
    delivered after the next sign-on, and no event twice.
    """
    acknowledged = logoutAcks(rig)
    signOffAt(rig, "a", "b")
    first: list[Event] = [C, B, A, REQUEST, AWAY, TYPING]
    again: list[Event] = [
        replace(C, sender=DAVE),
        replace(B, sender=DAVE),
        replace(A, sender=DAVE),
        replace(REQUEST, uin=DAVE),
    ]
    replies = [batch(*map(envelope, events), ack=7) for events in (first, again, again)]
    polls = scriptPolls(rig, *replies)
    for _ in range(2):
        rig.web.settle()
        rig.service.signOn()
    rig.web.settle()
    before = ["Typing", "StatusChange", "FriendshipNotice", "a"]
    assert rig.factory.logs == [
        ["made", "on", *before, "ConnectionDone"],
        ["made", "on", "b", "ConnectionDone"],
        ["made", "on", "c"],
    ]
    assert acknowledged == [0, 0]
    assert acks(polls) == [0, 0, 0, 7]


def test_signOffAndOnAtOnce(rig: Rig) -> None:
    """
    When the application signs off and on in one callback, the rest of the reply
    is delivered after that sign-on.
    """

    def heard(message: Message) -> None:
        if message.text == "a":
            rig.protocol.signOff()
            rig.service.signOn()

    rig.factory.onMessage = heard
    reply = batch(message(3, 3, "c"), message(2, 2, "b"), message(1, 1, "a"), ack=7)
    polls = scriptPolls(rig, reply, reply)
    assert rig.factory.logs == [
        ["made", "on", "a", "ConnectionDone"],
        ["made", "on", "b", "c"],
    ]
    assert acks(polls) == [0, 0, 7]


def test_signOffAfterLookUp(rig: Rig) -> None:
    """
    When the application signs off at the first event after a look-up, the
    events behind it are delivered after the next sign-on.
    """
    acknowledged = logoutAcks(rig)
    signOffAt(rig, "a")
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    reply = batch(envelope(B), envelope(A), CAROL_COMES, ack=7)
    polls = scriptPolls(rig, reply, reply)
    rig.web.settle(LOOKUP_TIMEOUT)
    assert rig.protocol.log == ["made", "on", "RosterChange", "a", "ConnectionDone"]
    assert acknowledged == [0]
    rig.service.signOn()
    rig.web.settle(LOOKUP_TIMEOUT)
    assert rig.protocol.log == ["made", "on", "b"]
    assert acks(polls) == [0, 0, 7]


def test_signOffDuringLookUp(rig: Rig) -> None:
    """
    Events that wait when the application signs off are delivered before the
    logout, which acknowledges them.
    """
    acknowledged = logoutAcks(rig)
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    polls = scriptPolls(rig, batch(envelope(A), CAROL_COMES, ack=7))
    rig.web.result(rig.service.signOff())
    assert rig.protocol.log == ["made", "on", "RosterChange", "a", "ConnectionDone"]
    assert acknowledged == [7]
    rig.service.signOn()
    rig.web.settle()
    assert acks(polls) == [0, 7]


def test_signOffTwiceDuringLookUp(rig: Rig) -> None:
    """
    When the application signs off again at an event that had waited, the rest
    is delivered after the next sign-on.
    """
    acknowledged = logoutAcks(rig)
    signOffAt(rig, "a")
    rig.server.replies[PROFILE] = [NOT_DONE_YET]
    reply = batch(envelope(B), envelope(A), CAROL_COMES, ack=7)
    polls = scriptPolls(rig, reply, reply)
    rig.web.result(rig.service.signOff())
    assert rig.protocol.log == ["made", "on", "RosterChange", "a", "ConnectionDone"]
    assert acknowledged == [0]
    rig.service.signOn()
    rig.web.settle()
    assert rig.protocol.log == ["made", "on", "b"]
    assert acks(polls) == [0, 0, 7]


def test_signOffWhenLost(rig: Rig) -> None:
    """
    When the application signs off while the events of a lost session are
    delivered, the rest is delivered after the next sign-on.
    """
    signOffAt(rig, "a")
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    reply = batch(envelope(B), envelope(A), CROWD, ack=7)
    polls = scriptPolls(rig, reply, DOUBT, DOUBT, reply)
    rig.web.settle(35)
    assert rig.protocol.log == ["made", "on", "RosterChange", "a", "SessionExpired"]
    rig.server.replies[PROFILE] = [NOT_DONE_YET] * 5
    rig.service.signOn()
    rig.web.settle(1)
    assert rig.protocol.log == ["made", "on", "b"]
    assert acks(polls) == [0, 0, 0, 0, 7]


def test_signOffInTheMiddleAtOurServer(rig: Rig) -> None:
    """
    Our server repeats the events of an interrupted reply as the client expects.
    """
    carol = rig.web.person("Carol")
    rig.web.befriend(rig.alice, carol)
    for person, text in ((rig.bob, "a"), (carol, "b")):
        person.tell(rig.alice, text)
        rig.web.settle(1)
    signOffAt(rig, "a")
    rig.start()
    assert rig.protocol.log == ["made", "on", "a", "ConnectionDone"]
    rig.bob.tell(rig.alice, "c")
    rig.service.signOn()
    rig.web.settle(5)
    assert [line for line in rig.protocol.log if len(line) == 1] == ["b", "c"]
    for person in (rig.bob, carol):
        person.stop()


# Internal errors.


def test_afterInternalError(
    rig: Rig, flushLoggedErrors: Flush, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A reply at which the client has an internal error is not repeated without end:
    the next one is delivered.
    """
    put = EventQueue.put

    def putAndFail(eventQueue: EventQueue, events: list[Event]) -> None:
        put(eventQueue, events)
        if A in events:
            raise ZeroDivisionError

    monkeypatch.setattr(EventQueue, "put", putAndFail)
    first = batch(envelope(B), envelope(A), ack=7)
    polls = scriptPolls(rig, first, batch(envelope(C), ack=8))
    rig.web.settle(2)
    assert len(flushLoggedErrors(ZeroDivisionError)) == 1
    assert rig.protocol.log == ["made", "on", "a", "b", "c"]
    assert acks(polls) == [0, 7, 8]


# Holding.


def test_held() -> None:
    """
    A reply that the application holds while it handles the last event is
    acknowledged when all holds are over; until then later replies wait.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A)
    deliver(acknowledgement, A)
    begin(acknowledgement, 8, B)
    deliver(acknowledgement, B)
    releases = [acknowledgement.hold(), acknowledgement.hold()]
    assert (acknowledgement.number, acknowledgement.isPending) == (7, True)
    assert acknowledgement.isKnown(8)
    for _ in range(2):
        releases[0]()
    assert (acknowledgement.number, acknowledgement.isPending) == (7, True)
    releases[1]()
    assert (acknowledgement.number, acknowledgement.isPending) == (8, False)


def test_heldEarly() -> None:
    """
    A hold from an earlier event of a reply delays none of its events.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    deliver(acknowledgement, A)
    release = acknowledgement.hold()
    deliver(acknowledgement, B)
    assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
    release()
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_heldThroughSessions() -> None:
    """
    A reply that is held at the end of a sign-on is not delivered again in the
    next one, and still held.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    deliver(acknowledgement, A, B)
    release = acknowledgement.hold()
    acknowledgement.interrupt()
    assert (acknowledgement.number, acknowledgement.isPending) == (0, False)
    assert begin(acknowledgement, 7, A, B) == []
    assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
    release()
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def held(acknowledgement: Acknowledgement, *events: Event) -> list[EventHold]:
    """
    Deliver events to the application, which holds each.
    """
    holds = []
    for event in events:
        acknowledgement.delivering(event)
        holds.append(acknowledgement.holdEvent(event))
        acknowledgement.delivered()
    return holds


def test_eventHeld() -> None:
    """
    A reply is acknowledged when the holds of its events are over, which delay none of
    its events. A hold ends once.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, TYPING, B)
    first, typing, last = held(acknowledgement, A, TYPING, B)
    assert [each.isKept for each in (first, typing, last)] == [True, False, True]
    first.delivered()
    first.notDelivered()
    # It is for one session, so it cannot come again.
    typing.notDelivered()
    assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
    last.delivered()
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


@pytest.mark.parametrize("isBefore", [True, False])
@pytest.mark.parametrize("missing", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)])
def test_notDelivered(missing: tuple[int, ...], isBefore: bool) -> None:
    """
    Events that were not delivered come again in the next sign-on, in their order, and
    no other ones do, whether the application says so before or after the end of the
    sign-on, and in any order.
    """
    events: list[Event] = [A, B, C]
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, *events)
    holds = held(acknowledgement, *events)
    if not isBefore:
        acknowledgement.interrupt()
    for place in (2, 1, 0):
        if place in missing:
            holds[place].notDelivered()
        else:
            holds[place].delivered()
    if isBefore:
        assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
        acknowledgement.interrupt()
    kept = acknowledgement.kept()
    for each in (acknowledgement, Acknowledgement()):
        each.restore(kept)
        rest = begin(each, 7, *events)
        assert rest == [events[place] for place in missing]
        deliver(each, *rest)
        assert (each.number, each.isPending) == (7, False)


def test_notDeliveredInPart() -> None:
    """
    Of a reply that is delivered in several sign-ons no event is lost or comes twice.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, AWAY, A, B, C)
    deliver(acknowledgement, AWAY)
    [hold] = held(acknowledgement, A)
    deliver(acknowledgement, B)
    acknowledgement.interrupt()
    hold.notDelivered()
    assert begin(acknowledgement, 7, A, B, TYPING, C) == [A, TYPING, C]
    [hold] = held(acknowledgement, A)
    acknowledgement.interrupt()
    # That of A may still end.
    assert begin(acknowledgement, 7, A, B, C) == [C]
    deliver(acknowledgement, C)
    assert acknowledgement.isPending
    hold.notDelivered()
    assert acknowledgement.isPending
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [A]
    deliver(acknowledgement, A)
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_kept() -> None:
    """
    Events that the application holds were not delivered for the next process, until
    it says that they were.
    """
    changes: list[Acknowledged] = []
    acknowledgement = Acknowledgement(
        keptChanged=lambda: changes.append(acknowledgement.kept())
    )
    begin(acknowledgement, 7, A, B, C)
    first, second = held(acknowledgement, A, B)
    deliver(acknowledgement, C)
    acknowledgement.interrupt()
    assert acknowledgement.kept() == Acknowledged(0, 7, 3, 3, (0, 1))
    second.delivered()
    first.delivered()
    assert changes == [Acknowledged(0, 7, 3, 3, (0,)), Acknowledged(0, 7, 3, 3)]


def test_allKept() -> None:
    """
    A hold of all events is for the next process as if none had been delivered.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    deliver(acknowledgement, A, B)
    release = acknowledgement.hold()
    acknowledgement.interrupt()
    assert acknowledgement.kept() == Acknowledged(0, 7, 2)
    release()
    assert acknowledgement.kept() == Acknowledged(0, 7, 2, 2)


def test_holdOfAnotherReply() -> None:
    """
    A hold ends with the reply of its event.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    [hold] = held(acknowledgement, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 8, B) == [B]
    deliver(acknowledgement, B)
    assert (acknowledgement.number, acknowledgement.isPending) == (8, False)
    hold.notDelivered()
    assert (acknowledgement.number, acknowledgement.isPending) == (8, False)


def test_heldInTransport(rig: Rig) -> None:
    """
    The hold of a transport is that of the event that is handled. One that was not
    delivered comes after the next sign-on, alone.
    """
    holds: dict[str, IEventHold] = {}

    def heard(message: Message) -> None:
        holds[message.text] = rig.protocol.transport.holdEvent()

    rig.factory.onMessage = heard
    reply = batch(envelope(B), envelope(A), ack=7)
    polls = scriptPolls(rig, reply, reply)
    holds["b"].delivered()
    assert acks(polls) == [0]
    rig.web.result(rig.service.signOff())
    holds["a"].notDelivered()
    rig.service.signOn()
    rig.web.settle()
    assert [line for line in rig.protocol.log if len(line) == 1] == ["a"]
    holds["a"].delivered()
    rig.web.settle(1)
    assert acks(polls) == [0, 0, 7]
