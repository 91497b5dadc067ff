"""
The pure parts of the server: ids, mail, challenges, sessions.
"""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.errors import MalformedReply
from txwebqq.model import Face, Font, Number, Text, Uin, UnknownSegment
from txwebqq.server.events.queued import (
    MAX_TOGETHER,
    Mailbox,
    MessageIds,
    QueuedEvent,
    QueuedFriendMessage,
    QueuedGroupMessage,
    decodeQueued,
    encodeQueued,
    tidyContent,
)
from txwebqq.server.events.sessionids import KEY_BITS, SessionIds
from txwebqq.server.records import HIGHEST_NUMBER, LOWEST_NUMBER
from txwebqq.server.sessions.captchas import (
    MAX_SUSPECTS,
    Captchas,
    FailedLogins,
    VerifyCodes,
)
from txwebqq.server.sessions.sessions import (
    MAX_ENDED,
    EndedSession,
    EndReason,
    Sessions,
)
from txwebqq.wire.content import sizeOf

ALICE, BOB = Number(10001), Number(10002)

keys = st.integers(0, 2**KEY_BITS - 1)
numbers = st.integers(LOWEST_NUMBER, HIGHEST_NUMBER).map(Number)


class Time:
    """
    A clock that stands where it is put.
    """

    def __init__(self) -> None:
        self.seconds = 1366004047.0

    def __call__(self) -> float:
        return self.seconds


# ---- ids


@given(keys, numbers, numbers)
def test_aliasesBack(key: int, own: Number, number: Number) -> None:
    """
    Every id leads back to whom it was made of.
    """
    sessionIds = SessionIds(own, key)
    assert sessionIds.person(sessionIds.uin(number)) == number
    assert sessionIds.groupOfGid(sessionIds.gid(number)) == number
    assert sessionIds.groupOfCode(sessionIds.code(number)) == number


@given(keys, numbers, numbers)
def test_aliasesAreAllowed(key: int, own: Number, number: Number) -> None:
    """
    No id is one that means something else.
    """
    sessionIds = SessionIds(own, key)
    ids = {sessionIds.gid(number), sessionIds.code(number)}
    if number != own:
        ids.add(sessionIds.uin(number))
    assert all(0 < each < 2**32 for each in ids)
    assert not ids & {1000, 10000, own}


def test_ownUin() -> None:
    """
    One's own uin is one's number.
    """
    sessionIds = SessionIds(ALICE, 7)
    assert sessionIds.uin(ALICE) == Uin(ALICE)
    assert sessionIds.person(Uin(ALICE)) == ALICE


def test_aliasesOfReserved() -> None:
    """
    When the shuffle would give a reserved id, another one is found, and found
    back.
    """
    own, number = Number(20000), Number(30000)
    plain = SessionIds(Number(HIGHEST_NUMBER), 5)
    for hit in (0, 1000, 10000, own):
        # Mask the last step so that this number falls on the reserved id.
        key = 5 ^ ((plain._out(number, 0) ^ hit) << 64)
        sessionIds = SessionIds(own, key)
        uin = sessionIds.uin(number)
        assert uin not in (0, 1000, 10000, own)
        assert sessionIds.person(uin) == number


@given(keys, st.integers())
def test_anyIdIsSafe(key: int, alias: int) -> None:
    """
    Any integer either means a number or nobody.
    """
    person = SessionIds(ALICE, key).person(Uin(alias))
    assert person is None or LOWEST_NUMBER <= person <= HIGHEST_NUMBER


def test_aliasesDiffer() -> None:
    """
    Neighbours do not get neighbouring ids, and no two of a kind get the same.
    """
    sessionIds = SessionIds(ALICE, Random(1).getrandbits(KEY_BITS))
    people = [sessionIds.uin(Number(n)) for n in range(20_000, 24_000)]
    groups = [sessionIds.gid(Number(n)) for n in range(20_000, 24_000)]
    codes = [sessionIds.code(Number(n)) for n in range(20_000, 24_000)]
    for ids in (people, groups, codes):
        assert len(set(ids)) == 4_000
    gaps = [abs(a - b) for a, b in pairwise(people)]
    assert sum(gap < 2**20 for gap in gaps) < 20


# ---- mail


def letter(n: int, sender: Number = ALICE) -> QueuedFriendMessage:
    return QueuedFriendMessage(MessageIds(sender, 1, n, n), (Text(str(n)),), Font())


texts = st.text(st.characters(blacklist_categories=["Cs"]))
segments = st.one_of(
    texts.map(Text),
    st.integers(0, 200).map(Face),
    st.lists(texts, min_size=1).map(lambda parts: UnknownSegment(["x", *parts])),
)


@given(st.lists(segments).map(tuple), st.booleans())
def test_letterBack(content: Any, isGroup: bool) -> None:
    """
    A stored letter is the letter that was stored.
    """
    mark, font = (
        MessageIds(ALICE, 1, 2, 3),
        Font("宋体", 9, True, False, True, "00ff00"),
    )
    stored: QueuedEvent = QueuedFriendMessage(mark, content, font)
    if isGroup:
        stored = QueuedGroupMessage(mark, content, font, Number(200001), 27)
    assert decodeQueued(encodeQueued(stored)) == stored


def test_tidy() -> None:
    """
    Halves of surrogate pairs are joined or replaced; what is no JSON is
    refused.
    """
    assert tidyContent((Text("\ud83d\ude00"), Text("\ud83d"))) == (
        Text("\U0001f600"),
        Text("\ufffd"),
    )
    for raw in (float("nan"), ["x", float("inf")], json.loads("[" * 20 + "]" * 20)):
        with pytest.raises(MalformedReply):
            tidyContent((UnknownSegment(raw),))


def test_size() -> None:
    """
    Text counts as UTF-8, everything else as what is written.
    """
    assert sizeOf((Text("宋x"),)) == 4
    assert sizeOf((Face(14),)) == len('["face",14]')


def test_mailboxConversations() -> None:
    """
    A mailbox gives the first letter of each conversation, and keeps order.
    """
    mailbox = Mailbox()
    mailbox.load([], 100)
    for n, sender in enumerate((ALICE, BOB, ALICE, BOB, BOB)):
        mailbox.add(n, letter(n, sender))
    taken = [[each for _, each in mailbox.take()] for _ in range(4)]
    assert taken == [
        [letter(0, ALICE), letter(1, BOB)],
        [letter(2, ALICE), letter(3, BOB)],
        [letter(4, BOB)],
        [],
    ]


def test_mailboxBound() -> None:
    """
    What does not fit into a mailbox is left in the store.
    """
    mailbox = Mailbox()
    mailbox.load([], 100)
    for serial in range(1, MAX_TOGETHER + 50):
        mailbox.add(serial, letter(serial))
    assert mailbox.room == 0
    assert mailbox.more
    assert mailbox.seen == MAX_TOGETHER
    mailbox.take()
    assert mailbox.room == 1


# ---- challenges


def test_codes() -> None:
    """
    A code is of one account, and good in any case for some minutes.
    """
    time = Time()
    codes = VerifyCodes(time, Random(1))
    code = codes.issue(10001)
    assert codes.isGood(10001, code.lower())
    assert not codes.isGood(10002, code)
    assert not codes.isGood(10001, "")
    time.seconds += 299
    assert codes.isGood(10001, code)
    time.seconds += 200
    assert not codes.isGood(10001, code)


def test_suspectsAreBounded() -> None:
    """
    Many suspects do not fill the memory.
    """
    suspects = FailedLogins(Time())
    for n in range(MAX_SUSPECTS + 10):
        suspects.failed(n)
    assert len(suspects._failures) == MAX_SUSPECTS


def test_captchasAreBounded() -> None:
    """
    Many pictures do not fill the memory; the oldest are given up.
    """
    captchas = Captchas(Time(), Random(1))
    first, text = captchas.issue()
    for _ in range(10_000):
        last = captchas.issue()
    assert not captchas.answer(first, text)
    assert captchas.answer(*last)


# ---- sessions


def test_endedAreBounded() -> None:
    """
    Of the tickets that ended, the last are remembered.
    """
    sessions = Sessions(Time(), Random(1))
    tickets = []
    for _ in range(MAX_ENDED // 3 + 10):
        session = sessions.open(sessions.admit(ALICE), ALICE, "")
        tickets.append(session.psessionid)
        sessions.end(session, EndReason.REPLACED)
    last, first = sessions.byTicket(tickets[-1]), sessions.byTicket(tickets[0])
    assert isinstance(last, EndedSession)
    assert isinstance(first, EndedSession)
    assert (last.reason, first.reason) == (EndReason.REPLACED, EndReason.UNKNOWN)


def test_rotations() -> None:
    """
    After two rotations the first ptwebqq is forgotten.
    """
    sessions = Sessions(Time(), Random(1))
    session = sessions.open(sessions.admit(ALICE), ALICE, "")
    names = [session.ptwebqq]
    for _ in range(2):
        sessions.rotate(session)
        names.append(session.ptwebqq)
    found = [sessions.bySignOn(name) for name in names]
    assert isinstance(found[0], EndedSession)
    assert found[1:] == [session, session]
    sessions.end(session, EndReason.LOGGED_OUT)
    assert not sessions.hasTimers
