"""
Replies to polls are acknowledged by number, and those that come again are not
handed over twice.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from twisted.internet.defer import Deferred

from txwebqq.acknowledgement import Acknowledgement
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
    Shake,
    Status,
    StatusChange,
    Text,
    Typing,
    Uin,
    UnknownEvent,
)
from txwebqq.polling import Inbox

BOB, CAROL, DAVE = Uin(7), Uin(8), Uin(9)
ME = Number(10001)


def words(text: str, time: int = 0, sender: Uin = BOB, number: int = 0) -> Message:
    """
    A friend's message; without a number, one that has no ids.
    """
    return Message(sender, ME, (Text(text),), time, number, number)


REQUEST = FriendshipNotice(FriendshipStep.REQUESTED, CAROL, text="let me in")
NOTICE = GroupNotice(GroupStep.DENIED, Gid(3), Code(4), Number(5))
FILE = OfflineFile(BOB, "cat.jpg", 5, "key", "127.0.0.1", 80, time=1)
AWAY = StatusChange(BOB, Status.AWAY)
TYPING = Typing(BOB, ME)
SHAKE = Shake(BOB, ME)
A, B, C = words("a", 1), words("b", 2), words("c", 3)


# ---- the number


def begin(acknowledgement: Acknowledgement, number: int, *events: Event) -> list[Event]:
    """
    A reply with events begins, in the order in which they are handed over.
    """
    assert not acknowledgement.isKnown(number)
    return acknowledgement.begin(number, list(events))


def handOver(acknowledgement: Acknowledgement, *events: Event) -> None:
    """
    The application is given events.
    """
    for event in events:
        acknowledgement.handedOver(event)


def test_last() -> None:
    """
    A reply is acknowledged from its last event on, and not before.
    """
    acknowledgement = Acknowledgement()
    assert acknowledgement.number == 0
    assert begin(acknowledgement, 7, A, B) == [A, B]
    assert acknowledgement.isPending
    handOver(acknowledgement, A)
    assert (acknowledgement.number, acknowledgement.isPending) == (0, True)
    handOver(acknowledgement, B)
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
    handOver(acknowledgement, A)
    assert [(n, acknowledgement.isKnown(n)) for n, _ in expected] == expected


def test_whenHandedOver() -> None:
    """
    A Deferred for the end of a reply fires when its last event is handed over,
    unless it was cancelled.
    """
    acknowledgement = Acknowledgement()
    told: list[int] = []
    begin(acknowledgement, 7, A)
    acknowledgement.whenHandedOver().addCallback(
        lambda _: told.append(acknowledgement.number)
    )
    cancelled: Deferred[None] = acknowledgement.whenHandedOver()
    cancelled.addErrback(lambda _: None)
    cancelled.cancel()
    assert told == []
    handOver(acknowledgement, A)
    assert told == [7]


EARLIER = UnknownEvent("buddies_status_change", {"uin": 7, "status": "new"})
LATER = UnknownEvent("news", {})


@pytest.mark.parametrize(
    ("came", "handed", "again", "rest"),
    [
        ([A, B, C], 1, [A, B, C], [B, C]),
        ([A, B, C], 2, [A, B, C], [C]),
        ([A, B, C], 0, [A, B, C], [A, B, C]),
        ([REQUEST, NOTICE, FILE], 1, [REQUEST, NOTICE, FILE], [NOTICE, FILE]),
        # Events that are not kept do not come again, wherever they were.
        ([AWAY, TYPING, SHAKE, A, B], 2, [A, B], [A, B]),
        ([AWAY, A, TYPING, B, SHAKE], 2, [A, B], [B]),
        ([A, AWAY, B], 1, [A, B], [B]),
        ([A, AWAY, TYPING, B], 3, [A, B], [B]),
        ([EARLIER, A, B], 2, [A, B], [B]),
        ([LATER, A, B], 2, [LATER, A, B], [B]),
        ([A, AWAY], 1, [A], []),
        ([A, KickNotice("elsewhere")], 1, [A], []),
        # A server that gives them again all the same.
        ([AWAY, A, B], 2, [AWAY, A, B], [B]),
    ],
)
def test_interrupted(
    came: list[Event], handed: int, again: list[Event], rest: list[Event]
) -> None:
    """
    A reply that was handed over in part is not acknowledged; when it comes
    again only what is left of it is to be handed over, and then it is.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, *came)
    handOver(acknowledgement, *came[:handed])
    acknowledgement.interrupt()
    assert (acknowledgement.number, acknowledgement.isPending) == (0, False)
    assert begin(acknowledgement, 7, *again) == rest
    handOver(acknowledgement, *rest)
    assert (acknowledgement.number, acknowledgement.isPending) == (7, False)


def test_interruptedAgain() -> None:
    """
    So it is for a reply that is interrupted several times, once before
    anything more of it was handed over.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, AWAY, A, B, C)
    handOver(acknowledgement, AWAY, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [B, C]
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [B, C]
    handOver(acknowledgement, B)
    acknowledgement.interrupt()
    acknowledgement.interrupt()
    assert begin(acknowledgement, 7, A, B, C) == [C]
    handOver(acknowledgement, C)
    assert acknowledgement.number == 7


def test_interruptedThenAnother() -> None:
    """
    When another reply comes instead, all of it is to be handed over.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A, B)
    handOver(acknowledgement, A)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 8, B, C) == [B, C]
    handOver(acknowledgement, B)
    acknowledgement.interrupt()
    assert begin(acknowledgement, 8, B, C) == [C]


def test_notInterrupted() -> None:
    """
    A reply that was handed over whole stays so.
    """
    acknowledgement = Acknowledgement()
    begin(acknowledgement, 7, A)
    handOver(acknowledgement, A)
    acknowledgement.interrupt()
    assert acknowledgement.number == 7
    assert acknowledgement.isKnown(7)


def test_orderAgain() -> None:
    """
    Events that are kept have one order, with the others among them or without
    and whatever the uins, so a count of them says which were handed over.
    """
    came: list[Event] = [C, REQUEST, AWAY, B, NOTICE, TYPING, A, FILE, SHAKE]
    again: list[Event] = [
        replace(C, sender=DAVE),
        replace(REQUEST, uin=DAVE),
        replace(B, sender=DAVE),
        NOTICE,
        replace(A, sender=DAVE),
        replace(FILE, sender=DAVE),
    ]
    passing = (AWAY, TYPING, SHAKE)
    kept = [came.index(e) for e in Inbox().sort(came) if e not in passing]
    places = [came.index(e) for e in (C, REQUEST, B, NOTICE, A, FILE)]
    assert kept == [places[again.index(e)] for e in Inbox().sort(again)]
