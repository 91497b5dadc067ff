"""
The message history, and all queries to it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.gateway.storage.history import DAY, HistoryStore
from txwebqq.irc.gateway.storage.message import HistoryMessage, HistoryPosition
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Number
from txwebqq.sqlite.database import MEMORY, Database

CATS = Target(TargetKind.GROUP, 200001)
BOB = Target(TargetKind.CONTACT, 10002)
EVERYTHING = (HistoryPosition(-(1 << 60)), HistoryPosition(1 << 60))


def message(
    time: int, text: str = "", target: Target = CATS, user: str = "al"
) -> HistoryMessage:
    return HistoryMessage(
        user, target, time, Number(10001), Number(10002), "Bob", text or str(time)
    )


def storeWith(*times: int, messages: int = 100_000) -> HistoryStore:
    store = HistoryStore(Database(MEMORY, GATEWAY_SCHEMA), messages)
    for time in times:
        store.append(message(time))
    return store


def times(messages: list[HistoryMessage]) -> list[int]:
    return [e.time for e in messages]


def test_stored(tmp_path: Path) -> None:
    """
    A stored message is the same in the next run, with the same msgid.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    sent = replace(message(5, "茶\n好"), command="NOTICE", origin="7")
    kept = HistoryStore(database).append(sent)
    assert kept is not None
    assert replace(kept, serial=0, msgid="") == sent
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    again = HistoryStore(database)
    assert again.latest("al", CATS, 10) == [kept]
    assert again.position("al", CATS, kept.msgid) == HistoryPosition(5, kept.serial)
    database.close()


def test_order() -> None:
    """
    Messages of one conversation are ordered by arrival, and each has a later
    time than the one before, at least its own.
    """
    store = storeWith()
    for time, text in ((5, "a"), (3, "b"), (5, "c"), (4, "d"), (20, "e")):
        store.append(message(time, text))
    store.append(message(3, "other", BOB))
    store.append(message(3, "other", user="bo"))
    found = store.latest("al", CATS, 10)
    assert [e.text for e in found] == ["a", "b", "c", "d", "e"]
    assert times(found) == [5, 6, 7, 8, 20]
    assert [e.text for e in store.latest("al", CATS, 2)] == ["d", "e"]
    assert times(store.latest("al", BOB, 2)) == [3]
    assert times(store.latest("bo", CATS, 2)) == [3]


def test_orderAfterRestart(tmp_path: Path) -> None:
    """
    The times do not go back after a restart either; messages that an older
    version has stored with equal times get separate ones, in the same order.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    store = HistoryStore(database)
    for time in (1, 2, 3, 4, 5, 6):
        store.append(message(time, target=BOB if time == 2 else CATS))
    stored = database.connection
    stored.execute("UPDATE said SET time = 7 WHERE serial IN (1, 2, 3, 4)")
    stored.execute("UPDATE said SET time = 6 WHERE serial = 5")
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    store = HistoryStore(database)
    found = [(e.serial, e.time) for e in store.latest("al", CATS, 10)]
    assert found == [(5, 6), (6, 7), (1, 8), (3, 9), (4, 10)]
    assert times(store.latest("al", BOB, 10)) == [7]
    store.append(message(2))
    assert times(store.latest("al", CATS, 1)) == [11]
    database.close()


def test_positionOfTime() -> None:
    """
    C{before} and C{after} exclude the messages of their time; C{around}
    includes them.
    """
    store = storeWith(1, 2, 3, 4, 5)
    three = HistoryPosition(3)
    assert times(store.before("al", CATS, three, 10)) == [1, 2]
    assert times(store.before("al", CATS, three, 1)) == [2]
    assert times(store.after("al", CATS, three, 10)) == [4, 5]
    assert times(store.after("al", CATS, three, 1)) == [4]
    assert times(store.latest("al", CATS, 10, three)) == [4, 5]
    assert times(store.latest("al", CATS, 1, three)) == [5]
    assert times(store.around("al", CATS, three, 4)) == [1, 2, 3, 4]
    assert times(
        store.between("al", CATS, HistoryPosition(1), HistoryPosition(5), 2)
    ) == [2, 3]
    assert times(
        store.between("al", CATS, HistoryPosition(5), HistoryPosition(1), 2)
    ) == [3, 4]


def test_positionOfMessage() -> None:
    """
    The position of a message lies between the others.
    """
    store = storeWith(3, 4, 5, 6)
    everything = store.latest("al", CATS, 10)
    second = store.position("al", CATS, everything[1].msgid)
    fourth = store.position("al", CATS, everything[3].msgid)
    assert second is not None
    assert fourth is not None
    assert store.before("al", CATS, second, 10) == everything[:1]
    assert store.after("al", CATS, second, 10) == everything[2:]
    assert store.around("al", CATS, second, 3) == everything[:3]
    assert store.around("al", CATS, second, 1) == [everything[1]]
    assert store.between("al", CATS, second, fourth, 9) == [everything[2]]
    assert store.between("al", CATS, fourth, second, 9) == [everything[2]]


@pytest.mark.parametrize("limit", [0, -1])
def test_noLimit(limit: int) -> None:
    """
    A limit of zero or less selects nothing.
    """
    assert storeWith(1, 2).latest("al", CATS, limit) == []


def test_unknownMsgid() -> None:
    """
    Msgids of other conversations, other users and other databases, and invalid
    ones, have no position.
    """
    store, other = storeWith(), storeWith(1)
    kept = store.append(message(1))
    assert kept is not None
    assert store.position("al", BOB, kept.msgid) is None
    assert store.position("bo", CATS, kept.msgid) is None
    assert other.position("al", CATS, kept.msgid) is None
    for msgid in ("", "x", kept.msgid + "0", kept.msgid + "\n", f"{kept.msgid}f" * 9):
        assert store.position("al", CATS, msgid) is None


def test_copies() -> None:
    """
    A second copy of a message is not stored; a message with another origin or
    in another conversation is no copy.
    """
    store = storeWith()
    sent = replace(message(1), origin="7")
    assert store.append(sent) is not None
    assert store.append(replace(sent, time=2)) is None
    assert store.append(replace(sent, target=BOB)) is not None
    assert store.append(replace(sent, user="bo")) is not None
    assert store.append(replace(sent, origin="")) is not None
    assert store.append(replace(sent, origin="")) is not None
    assert len(store.latest("al", CATS, 10)) == 3


def test_bounded() -> None:
    """
    When a user has too many messages, that user's oldest ones are deleted.
    """
    store = storeWith(1, 2, messages=3)
    store.append(message(1, user="bo"))
    for time in (3, 4, 5):
        store.append(message(time))
    assert times(store.latest("al", CATS, 10)) == [3, 4, 5]
    assert times(store.latest("bo", CATS, 10)) == [1]


def test_lowered(tmp_path: Path) -> None:
    """
    A maximum that was lowered between two runs holds from the next message on.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    store = HistoryStore(database)
    for time in range(9):
        store.append(message(time))
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    store = HistoryStore(database, messages=2)
    store.append(message(9))
    assert times(store.latest("al", CATS, 10)) == [8, 9]
    database.close()


def test_expire() -> None:
    """
    Messages that are too old are deleted, a limited number at a time.
    """
    store = storeWith(DAY, DAY + 1, DAY + 2, 40 * DAY)
    assert not store.expire(31 * DAY)
    assert len(store.latest("al", CATS, 10)) == 4
    assert store.expire(31 * DAY + 3, limit=2)
    assert not store.expire(31 * DAY + 3, limit=2)
    assert times(store.latest("al", CATS, 10)) == [40 * DAY]


def test_msgidsAreUnique() -> None:
    """
    The msgid of a deleted message is not given to another one.
    """
    store = storeWith()
    first = store.append(message(1))
    store.expire(99 * DAY)
    second = store.append(message(2))
    assert first is not None
    assert second is not None
    assert first.msgid != second.msgid


def test_targets() -> None:
    """
    Conversations are listed by the times of their last messages, from either
    end.
    """
    store = storeWith(1, 5)
    store.append(message(3, target=BOB))
    store.append(message(9, user="bo"))
    low, high = EVERYTHING
    assert store.targets("al", low, high, 10) == [(BOB, 3), (CATS, 5)]
    assert store.targets("al", high, low, 10) == [(BOB, 3), (CATS, 5)]
    assert store.targets("al", low, high, 1) == [(BOB, 3)]
    assert store.targets("al", high, low, 1) == [(CATS, 5)]
    assert store.targets("al", HistoryPosition(3), HistoryPosition(6), 10) == [
        (CATS, 5)
    ]
    assert store.targets("al", HistoryPosition(0), HistoryPosition(5), 10) == [(BOB, 3)]


def test_missed() -> None:
    """
    A client has missed the messages that arrived after the last one it was
    shown, with any time; of each conversation the last ones are
    returned.
    """
    store = storeWith(10, 11)
    store.seen.mark("al", "phone", store.last("al"))
    store.append(message(1, "late"))
    for time in (13, 14, 16):
        store.append(message(time))
    store.append(message(2, "hi", BOB))
    store.append(message(15, user="bo"))
    texts = [e.text for e in store.missed("al", "phone", 2)]
    assert texts == ["hi", "14", "16"]
    texts = [e.text for e in store.missed("al", "phone", 9)]
    assert texts == ["hi", "late", "13", "14", "16"]
    assert len(store.missed("al", "new", 9)) == 7
    store.seen.mark("al", "phone", store.last("al"))
    store.seen.mark("al", "phone", 1)
    assert store.missed("al", "phone", 9) == []


Query = tuple[int, int, int]
POINTS = st.tuples(st.integers(0, 6), st.integers(0, 20), st.integers(0, 8))


@given(st.lists(st.integers(0, 5), max_size=12), POINTS, POINTS)
def test_queries(arrivals: list[int], first: Query, second: Query) -> None:
    """
    Every query agrees with a sorted list of the messages.
    """
    store = storeWith(*arrivals)
    order: list[tuple[int, int]] = []
    for serial, time in enumerate(arrivals, 1):
        order.append((max(time, order[-1][0] + 1) if order else time, serial))
    limit = first[2]

    def pointAt(query: Query) -> HistoryPosition:
        time, which, _ = query
        return (
            HistoryPosition(*order[which])
            if which < len(order)
            else HistoryPosition(time)
        )

    def keys(messages: list[HistoryMessage]) -> list[tuple[int, int]]:
        return [(e.time, e.serial) for e in messages]

    def cut(found: list[tuple[int, int]], newest: bool) -> list[tuple[int, int]]:
        if newest:
            return found[max(len(found) - limit, 0) :]
        return found[:limit]

    one, other = pointAt(first), pointAt(second)
    earlier = [key for key in order if key < one.start]
    later = [key for key in order if key > one.end]
    assert keys(store.latest("al", CATS, limit)) == cut(order, True)
    assert keys(store.latest("al", CATS, limit, one)) == cut(later, True)
    assert keys(store.before("al", CATS, one, limit)) == cut(earlier, True)
    assert keys(store.after("al", CATS, one, limit)) == cut(later, False)
    around = keys(store.around("al", CATS, one, limit))
    assert len(around) <= limit
    assert around == [key for key in order if key in set(around)]
    if limit and one.serial is not None:
        assert one.start in around
    isForward = one.start <= other.start
    low, high = (one, other) if isForward else (other, one)
    inside = [key for key in order if low.end < key < high.start]
    assert keys(store.between("al", CATS, one, other, limit)) == cut(
        inside, not isForward
    )
