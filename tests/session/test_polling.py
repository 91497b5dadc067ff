"""
The poll loop and the heartbeat, and the event filter.
"""

from __future__ import annotations

import pytest
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from tests.rig import (
    HEARTBEAT,
    HTML,
    KICK,
    LOGIN2,
    LOGOUT2,
    NO_EVENTS,
    POLL,
    PROBE,
    CapturedLog,
    RecordedPolls,
    Reply,
    Rig,
    batch,
    disconnect,
    message,
    truncate,
)
from txwebqq.model import (
    Code,
    Did,
    DiscussionMessage,
    Event,
    Gid,
    GroupMessage,
    KickNotice,
    Message,
    Number,
    Status,
    StatusChange,
    StrangerMessage,
    Text,
    Typing,
    Uin,
)
from txwebqq.session.eventfilter import MAX_SHOWN, REMEMBERED, EventFilter
from txwebqq.wire.commands.signon import Logout2
from txwebqq.wire.form import Form

ME = Number(10001)
KICKED = KickNotice("elsewhere")


# The event filter.


def words(text: str, time: int, number: int = 0, sender: int = 7) -> Message:
    """
    Make a message from a friend, without ids if it has no number.
    """
    return Message(Uin(sender), ME, (Text(text),), time, number, number)


def inGroup(number: int, group: int = 1, sender: int = 7) -> GroupMessage:
    """
    Make a message in a group.
    """
    return GroupMessage(
        Gid(group), Code(1), Number(1), Uin(sender), ME, (), 0, number, number
    )


def inDiscussion(number: int, sender: int = 7) -> DiscussionMessage:
    """
    Make a message in a discussion.
    """
    return DiscussionMessage(Did(1), Uin(sender), ME, (), 0, number, number)


def inTemporaryChat(number: int, place: int = 1) -> StrangerMessage:
    """
    Make a message in a temporary chat.
    """
    return StrangerMessage(Uin(7), ME, place, 0, Number(70), (), 0, number, number)


AWAY = StatusChange(Uin(7), Status.AWAY)
BUSY = StatusChange(Uin(7), Status.BUSY)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        ([], []),
        ([words("b", 2, 2), words("a", 1, 1)], ["a", "b"]),
        ([words("a", 1, 1), words("b", 2, 2)], ["a", "b"]),
        ([words("b", 1, 2), words("a", 1, 1)], ["a", "b"]),
        ([words("c", 3, 3), words("a", 1, 1), words("b", 2, 2)], ["a", "b", "c"]),
        ([KICKED, words("a", 1, 1)], ["a", KICKED]),
        ([words("a", 1, 1), KICKED], ["a", KICKED]),
        ([KICKED, AWAY], [AWAY, KICKED]),
        ([BUSY, AWAY], [AWAY, BUSY]),
        ([words("a", 1, 1), AWAY], [AWAY, "a"]),
    ],
)
def test_sort(came: list[Event], expected: list[object]) -> None:
    """
    A batch is reversed and then sorted by time; events without a time are
    first, a kick is last.
    """
    got = EventFilter().filterBatch(came)
    assert [e.text if isinstance(e, Message) else e for e in got] == expected


@pytest.mark.parametrize(
    "event", [words("a", 1, 1), inGroup(1), inDiscussion(1), inTemporaryChat(1)]
)
def test_twice(event: Event) -> None:
    """
    A message of any kind that is repeated is delivered once, in one batch or
    two.
    """
    eventFilter = EventFilter()
    assert eventFilter.filterBatch([event, event]) == [event]
    assert eventFilter.filterBatch([event]) == []


def test_notTwice() -> None:
    """
    Messages with the same ids from different conversations are different.
    """
    events: list[Event] = [
        words("a", 0, 1),
        words("a", 0, 1, sender=8),
        words("a", 0, 2),
        inGroup(1),
        inGroup(1, group=2),
        inGroup(1, sender=8),
        inDiscussion(1, sender=9),
        inTemporaryChat(1, place=5),
    ]
    assert len(EventFilter().filterBatch(events)) == len(events)


@pytest.mark.parametrize("event", [words("a", 1), AWAY, Typing(Uin(7), ME)])
def test_withoutIds(event: Event) -> None:
    """
    An event without ids may happen any number of times.
    """
    assert len(EventFilter().filterBatch([event, event])) == 2


def test_kindsApart() -> None:
    """
    A message of a group's member and one of a friend are never the same.
    """
    group = inGroup(1, group=7, sender=7)
    stranger = inTemporaryChat(1, place=7)
    assert len(EventFilter().filterBatch([group, stranger, words("a", 0, 1)])) == 3


def test_remembered() -> None:
    """
    The latest messages are remembered, up to the limit, and each once.
    """
    eventFilter = EventFilter()
    many = [words("x", 0, n) for n in range(1, 2 * REMEMBERED + 1)]
    for at, one in enumerate(many):
        assert eventFilter.filterBatch([one]) == [one]
        assert eventFilter.filterBatch([many[max(0, at - REMEMBERED + 1)]]) == []
    assert eventFilter.filterBatch([many[0]]) == [many[0]]


def test_shown() -> None:
    """
    The ids of shown messages are kept until a poll has confirmed them; ids that
    are added meanwhile stay.
    """
    eventFilter = EventFilter()
    eventFilter.markShown([words("a", 1, 1), inGroup(2)])
    eventFilter.markShown([AWAY, inDiscussion(3)])
    told = tuple(eventFilter.shown)
    assert told == ("1", "2", "3")
    eventFilter.markShown([inTemporaryChat(4)])
    eventFilter.acknowledged(told)
    assert list(eventFilter.shown) == ["4"]
    eventFilter.acknowledged(told)
    assert list(eventFilter.shown) == ["4"]


def test_dropped() -> None:
    """
    The ids of messages that the application was not given after all are forgotten.
    """
    eventFilter = EventFilter()
    eventFilter.markShown([words("a", 1, 1), words("b", 2, 2), AWAY, inGroup(3)])
    eventFilter.markDropped([inGroup(3), AWAY, words("b", 2, 2), words("c", 3, 4)])
    assert eventFilter.shown == ["1"]


def test_waiting() -> None:
    """
    The ids of messages that wait for their delivery are not confirmed.
    """
    eventFilter = EventFilter()
    events = [words("a", 1, 1), AWAY, inGroup(2), inGroup(1)]
    eventFilter.markShown(events)
    assert eventFilter.delivered(events[:0]) == ("1", "2", "1")
    assert eventFilter.delivered(events[1:]) == ("1",)
    assert eventFilter.delivered(events * 2) == ()


def test_shownIsBounded() -> None:
    """
    The ids for a server that is never reached are limited.
    """
    eventFilter = EventFilter()
    for n in range(1, 2 * MAX_SHOWN):
        eventFilter.markShown([words("x", 0, n)])
    told = tuple(eventFilter.shown)
    assert len(told) == MAX_SHOWN
    eventFilter.markShown([words("x", 0, 2 * MAX_SHOWN)])
    eventFilter.acknowledged(told)
    assert list(eventFilter.shown) == [str(2 * MAX_SHOWN)]


# The poll loop.


def test_tellsShown(rig: Rig) -> None:
    """
    The poll after a message confirms its id, once.
    """
    polls = RecordedPolls(batch(message(1, 5, "a")), NO_EVENTS)
    rig.polls(polls, polls, polls)
    assert [poll.ids for poll in polls.polls] == [(), ("5",), ()]


def test_tellsShownAgain(rig: Rig) -> None:
    """
    After a failed poll, the next one confirms the same ids.
    """
    polls = RecordedPolls(batch(message(1, 5, "a")), HTML, NO_EVENTS)
    rig.polls(polls, polls, polls, polls)
    rig.web.settle(3)
    assert [poll.ids for poll in polls.polls] == [(), ("5",), ("5",), ()]


def test_logoutTells(rig: Rig) -> None:
    """
    The logout confirms the ids that no poll has confirmed.
    """
    told: list[tuple[str, ...]] = []

    def remember(request: Request) -> bytes:
        query = request.uri.partition(b"?")[2]
        told.append(Logout2.decodeFields(Form.parse(query)).ids)
        return b'{"retcode":0,"result":"ok"}'

    rig.server.replies[LOGOUT2] = [remember]
    rig.polls(batch(message(1, 5, "a"), message(2, 6, "b")), NOT_DONE_YET)
    rig.web.result(rig.service.stopService())
    assert told == [("5", "6")]


def test_logoutInCallback(rig: Rig) -> None:
    """
    The logout of an application that signs off while it handles a message confirms
    that message and those before it, but none of those that it is not given.
    """
    told: list[tuple[str, ...]] = []

    def remember(request: Request) -> bytes:
        query = request.uri.partition(b"?")[2]
        told.append(Logout2.decodeFields(Form.parse(query)).ids)
        return b'{"retcode":0,"result":"ok"}'

    def signOff(message: Message) -> None:
        if message.text == "b":
            rig.service.stopService()

    rig.factory.onMessage = signOff
    rig.server.replies[LOGOUT2] = [remember]
    rig.polls(batch(message(3, 7, "c"), message(2, 6, "b"), message(1, 5, "a")))
    rig.web.settle(1)
    assert rig.protocol.log == ["made", "on", "a", "b", "ConnectionDone"]
    assert told == [("5", "6")]


def test_rotatedTicket(rig: Rig) -> None:
    """
    A rejoin sends the new ptwebqq in its form and in its cookie.
    """
    seen: list[tuple[str, bool]] = []

    def remember(request: Request) -> bytes:
        assert request.content is not None
        form = Form.parse(b"", request.content.read())
        cookie = request.getHeader("Cookie") or ""
        seen.append((form.ticket.ptwebqq, "ptwebqq=new-one" in cookie))
        return b'{"retcode":103,"errmsg":""}'

    rig.start()
    rig.server.replies[LOGIN2] = [remember]
    rig.server.replies[POLL] = [
        b'{"retcode":116,"p":"new-one"}',
        b'{"retcode":121,"t":"0"}',
    ]
    rig.web.settle(60)
    assert seen == [("new-one", True)]


def test_rotatedToNothing(rig: Rig) -> None:
    """
    A rotation without a new ptwebqq counts as a failure.
    """
    rig.polls(*[b'{"retcode":116,"errmsg":""}'] * 4)
    rig.web.settle(10)
    assert rig.server.requests.count(LOGIN2) == 2
    assert rig.factory.logs == [["made", "on"]]


@pytest.mark.parametrize(
    "trouble", [truncate, disconnect, HTML, 500, 503, b'{"retcode":']
)
def test_trouble(rig: Rig, trouble: Reply) -> None:
    """
    A failed poll is logged once as a warning, and repeated with growing delays.
    """
    with CapturedLog() as logged:
        rig.polls(trouble, NO_EVENTS)
        rig.web.settle(2)
        rig.bob.tell(rig.alice, "hi")
    assert logged.text.count("Polling failed (account ") == 2  # formatted, and raw
    assert rig.factory.logs == [["made", "on", "hi"]]
    rig.bob.stop()


def test_silence(rig: Rig) -> None:
    """
    A server that sends nothing for 90 seconds is polled again, on another
    connection.
    """
    rig.polls(NOT_DONE_YET)
    rig.web.settle(89)
    assert rig.server.requests.count(POLL) == 1
    assert rig.server.disconnected == []
    rig.web.settle(3)
    assert rig.server.disconnected == [POLL]
    assert rig.server.requests.count(POLL) == 2
    assert rig.factory.logs == [["made", "on"]]


def test_deafForEver(rig: Rig) -> None:
    """
    Four polls without a reply lead to a rejoin, and a login2 without a reply
    ends the session.
    """
    rig.polls(*[NOT_DONE_YET] * 4)
    rig.server.replies[LOGIN2] = [NOT_DONE_YET]
    rig.web.settle(4 * 91 + 10)
    assert rig.server.requests.count(LOGIN2) == 2
    rig.web.settle(62)
    assert rig.factory.logs[0] == ["made", "on", "SessionExpired"]
    rig.web.settle(10)
    assert rig.factory.logs[1:] == [["made", "on"]]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        NO_EVENTS,
        b'{"retcode":0,"result":"ok"}',
        b'{"retcode":116,"p":"other"}',
        batch(message(1, 5, "a")),
    ],
)
def test_notHot(rig: Rig, answer: bytes) -> None:
    """
    A server that replies at once without new events is polled about once a
    second.
    """
    rig.polls(*[answer] * 100)
    rig.web.settle(20)
    assert rig.server.requests.count(POLL) <= 24
    rig.server.replies[POLL] = []
    rig.web.settle(2)
    rig.bob.tell(rig.alice, "hi")
    assert rig.factory.logs[0][-1] == "hi"
    rig.bob.stop()


def test_atOnce(rig: Rig) -> None:
    """
    After a message, or one reply without events, the next poll is sent at once.
    """
    rig.polls(
        NO_EVENTS, batch(message(1, 5, "a")), batch(message(2, 6, "b")), NO_EVENTS
    )
    assert rig.server.requests.count(POLL) == 5


def test_rejoinInVain(rig: Rig) -> None:
    """
    A server that accepts rejoins but no poll gets a full sign-on after the
    third rejoin, and later ones with growing delays.
    """
    rig.polls(*[b'{"retcode":121,"t":"0"}'] * 1000)
    rig.web.settle(1)
    assert rig.server.requests.count(LOGIN2) == 4
    assert rig.factory.logs == [["made", "on", "SessionExpired"]]
    rig.web.settle(20)
    assert rig.server.requests.count(LOGIN2) <= 44
    rig.server.replies[POLL] = []
    rig.web.settle(10)
    rig.bob.tell(rig.alice, "hi")
    assert rig.protocol.log == ["made", "on", "hi"]
    rig.bob.stop()


def test_onePoll(rig: Rig) -> None:
    """
    There is at most one poll in flight, through rejoins and stops.
    """
    open_: list[int] = [0, 0]

    def held(request: Request) -> int:
        open_[0] += 1
        open_[1] = max(open_)

        def over(result: object) -> None:
            open_[0] -= 1

        request.notifyFinish().addBoth(over)
        return NOT_DONE_YET

    rig.polls(b'{"retcode":121,"t":"0"}', held, held, held)
    rig.web.settle(200)
    rig.web.result(rig.service.stopService())
    rig.server.replies[POLL] = [held, held]
    rig.start()
    assert open_ == [1, 1]


def test_probedAgain(rig: Rig) -> None:
    """
    After a poll that was answered, the session may be probed again; a probe is
    followed by a delay.
    """
    doubt = b'{"retcode":103,"errmsg":""}'
    rig.polls(doubt, batch(message(1, 5, "a")), doubt, batch(message(2, 6, "b")))
    assert rig.server.requests.count(POLL) == 1
    rig.web.settle(5)
    assert rig.server.requests.count(PROBE) == 3
    assert rig.factory.logs == [["made", "on", "a", "b"]]


def test_manyRejoins(rig: Rig) -> None:
    """
    Any number of rejoins is allowed, with a poll that was answered after each.
    """
    expired = b'{"retcode":121,"t":"0"}'
    rig.polls(*[expired, NO_EVENTS] * 9)
    rig.web.settle(5)
    assert rig.server.requests.count(LOGIN2) == 10
    assert rig.factory.logs == [["made", "on"]]


def test_probeTrouble(rig: Rig) -> None:
    """
    A probe without an answer ends the session, once.
    """
    rig.start()
    rig.server.replies[PROBE] = [NOT_DONE_YET]
    rig.server.replies[POLL] = [b'{"retcode":103,"errmsg":""}']
    rig.web.settle(200)
    assert rig.factory.logs == [["made", "on", "SessionExpired"], ["made", "on"]]


def test_stopWhileProbing(rig: Rig) -> None:
    """
    A stop cancels a probe.
    """
    rig.start()
    rig.server.replies[PROBE] = [NOT_DONE_YET]
    rig.server.replies[POLL] = [b'{"retcode":103,"errmsg":""}']
    rig.web.settle(60)
    rig.web.result(rig.service.stopService())
    assert rig.server.disconnected == [PROBE]
    assert rig.protocol.log == ["made", "on", "ConnectionDone"]


def test_kickedInBatch(rig: Rig) -> None:
    """
    A kick ends the session with the reason that the server gives.
    """
    off = rig.service.whenSignedOff()
    failed: list[Failure] = []
    off.addErrback(failed.append)
    rig.polls(batch(message(1, 5, "a"), KICK))
    [failure] = failed
    assert "elsewhere" in failure.getErrorMessage()
    assert rig.protocol.log == ["made", "on", "a", "kicked", "Kicked"]


def test_kickedTwice(rig: Rig) -> None:
    """
    Of several kicks in one reply, the first one counts, and nothing comes after it.
    """
    off = rig.service.whenSignedOff()
    failed: list[Failure] = []
    off.addErrback(failed.append)
    second = KICK.replace("elsewhere", "once more")
    rig.polls(batch(second, KICK, message(1, 5, "a")))
    [failure] = failed
    assert "elsewhere" in failure.getErrorMessage()
    assert rig.protocol.log == ["made", "on", "a", "kicked", "Kicked"]


@pytest.mark.parametrize("trouble", [truncate, disconnect, HTML, 500, NOT_DONE_YET])
def test_heartbeatTrouble(rig: Rig, trouble: Reply) -> None:
    """
    A heartbeat that fails has no effect, and later ones are sent.
    """
    rig.server.replies[HEARTBEAT] = [trouble, trouble]
    with CapturedLog() as logged:
        rig.start()
        rig.web.settle(190)
    assert rig.server.requests.count(HEARTBEAT) == 3
    assert rig.factory.logs == [["made", "on"]]
    assert {e["log_level"].name for e in logged.events} <= {"debug", "info"}
