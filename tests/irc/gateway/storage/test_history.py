"""
What was said, asked for in every way.
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


def entry(
    time: int, text: str = "", target: Target = CATS, user: str = "al"
) -> HistoryMessage:
    return HistoryMessage(
        user, target, time, Number(10001), Number(10002), "Bob", text or str(time)
    )


def history(*times: int, messages: int = 100_000) -> HistoryStore:
    made = HistoryStore(Database(MEMORY, GATEWAY_SCHEMA), messages)
    for time in times:
        made.append(entry(time))
    return made


def times(messages: list[HistoryMessage]) -> list[int]:
    return [e.time for e in messages]


def test_kept(tmp_path: Path) -> None:
    """
    A message is as it was in the next run, with the same id.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    sent = replace(entry(5, "茶\n好"), command="NOTICE", origin="7")
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
    Messages are in the order of their times, those of one time in the order
    of arrival.
    """
    made = history()
    for time, text in ((5, "c"), (3, "a"), (5, "d"), (4, "b")):
        made.append(entry(time, text))
    assert [e.text for e in made.latest("al", CATS, 10)] == ["a", "b", "c", "d"]
    assert [e.text for e in made.latest("al", CATS, 2)] == ["c", "d"]


def test_moments() -> None:
    """
    Neither side of a moment includes it; around it does.
    """
    made = history(1, 2, 3, 3, 4, 5)
    three = HistoryPosition(3)
    assert times(made.before("al", CATS, three, 10)) == [1, 2]
    assert times(made.before("al", CATS, three, 1)) == [2]
    assert times(made.after("al", CATS, three, 10)) == [4, 5]
    assert times(made.after("al", CATS, three, 1)) == [4]
    assert times(made.latest("al", CATS, 10, three)) == [4, 5]
    assert times(made.latest("al", CATS, 1, three)) == [5]
    assert times(made.around("al", CATS, three, 4)) == [1, 2, 3, 3]
    assert times(
        made.between("al", CATS, HistoryPosition(1), HistoryPosition(5), 2)
    ) == [2, 3]
    assert times(
        made.between("al", CATS, HistoryPosition(5), HistoryPosition(1), 2)
    ) == [3, 4]


def test_messages() -> None:
    """
    A message lies between those of the same time.
    """
    made = history(3, 3, 3, 3)
    everything = made.latest("al", CATS, 10)
    second = made.position("al", CATS, everything[1].msgid)
    fourth = made.position("al", CATS, everything[3].msgid)
    assert second is not None
    assert fourth is not None
    assert made.before("al", CATS, second, 10) == everything[:1]
    assert made.after("al", CATS, second, 10) == everything[2:]
    assert made.around("al", CATS, second, 3) == everything[:3]
    assert made.around("al", CATS, second, 1) == [everything[1]]
    assert made.between("al", CATS, second, fourth, 9) == [everything[2]]
    assert made.between("al", CATS, fourth, second, 9) == [everything[2]]


@pytest.mark.parametrize("limit", [0, -1])
def test_noLimit(limit: int) -> None:
    """
    Who asks for nothing gets nothing.
    """
    assert history(1, 2).latest("al", CATS, limit) == []


def test_point() -> None:
    """
    Ids of other places, other users, other databases and of nobody are
    nowhere.
    """
    made, other = history(), history(1)
    kept = made.append(entry(1))
    assert kept is not None
    assert made.position("al", BOB, kept.msgid) is None
    assert made.position("bo", CATS, kept.msgid) is None
    assert other.position("al", CATS, kept.msgid) is None
    for msgid in ("", "x", kept.msgid + "0", kept.msgid + "\n", f"{kept.msgid}f" * 9):
        assert made.position("al", CATS, msgid) is None


def test_twice() -> None:
    """
    A second copy of a message is not kept; without an origin, or elsewhere, it
    is no copy.
    """
    made = history()
    sent = replace(entry(1), origin="7")
    assert made.append(sent) is not None
    assert made.append(replace(sent, time=2)) is None
    assert made.append(replace(sent, target=BOB)) is not None
    assert made.append(replace(sent, user="bo")) is not None
    assert made.append(replace(sent, origin="")) is not None
    assert made.append(replace(sent, origin="")) is not None
    assert len(made.latest("al", CATS, 10)) == 3


def test_bounded() -> None:
    """
    Of too many messages a user's first ones go, and nobody else's.
    """
    made = history(1, 2, messages=3)
    made.append(entry(1, user="bo"))
    for time in (3, 4, 5):
        made.append(entry(time))
    assert times(made.latest("al", CATS, 10)) == [3, 4, 5]
    assert times(made.latest("bo", CATS, 10)) == [1]


def test_lowered(tmp_path: Path) -> None:
    """
    A bound that was lowered between two runs holds with the next message.
    """
    path = tmp_path / "gateway.db"
    database = Database(path, GATEWAY_SCHEMA)
    made = HistoryStore(database)
    for time in range(9):
        made.append(entry(time))
    database.close()
    database = Database(path, GATEWAY_SCHEMA)
    made = HistoryStore(database, messages=2)
    made.append(entry(9))
    assert times(made.latest("al", CATS, 10)) == [8, 9]
    database.close()


def test_expire() -> None:
    """
    What is too old goes, some at a time.
    """
    made = history(DAY, DAY + 1, DAY + 2, 40 * DAY)
    assert not made.expire(31 * DAY)
    assert len(made.latest("al", CATS, 10)) == 4
    assert made.expire(31 * DAY + 3, limit=2)
    assert not made.expire(31 * DAY + 3, limit=2)
    assert times(made.latest("al", CATS, 10)) == [40 * DAY]


def test_neverTwice() -> None:
    """
    The id of a message that is forgotten is not given again.
    """
    made = history()
    first = made.append(entry(1))
    made.expire(99 * DAY)
    second = made.append(entry(2))
    assert first is not None
    assert second is not None
    assert first.msgid != second.msgid


def test_targets() -> None:
    """
    Conversations are listed by their last messages, from either side.
    """
    made = history(1, 5)
    made.append(entry(3, target=BOB))
    made.append(entry(9, user="bo"))
    low, high = EVERYTHING
    assert made.targets("al", low, high, 10) == [(BOB, 3), (CATS, 5)]
    assert made.targets("al", high, low, 10) == [(BOB, 3), (CATS, 5)]
    assert made.targets("al", low, high, 1) == [(BOB, 3)]
    assert made.targets("al", high, low, 1) == [(CATS, 5)]
    assert made.targets("al", HistoryPosition(3), HistoryPosition(6), 10) == [(CATS, 5)]
    assert made.targets("al", HistoryPosition(0), HistoryPosition(5), 10) == [(BOB, 3)]


def test_missed() -> None:
    """
    A client misses what came after it had seen something, also what is old;
    of each conversation the last messages.
    """
    made = history(10, 11)
    made.markSeen("al", "phone", made.last("al"))
    made.append(entry(1, "late"))
    for time in (12, 13, 14):
        made.append(entry(time))
    made.append(entry(2, "hi", BOB))
    made.append(entry(15, user="bo"))
    texts = [e.text for e in made.missed("al", "phone", 2)]
    assert texts == ["hi", "13", "14"]
    texts = [e.text for e in made.missed("al", "phone", 9)]
    assert texts == ["late", "hi", "12", "13", "14"]
    assert len(made.missed("al", "new", 9)) == 7
    made.markSeen("al", "phone", made.last("al"))
    made.markSeen("al", "phone", 1)
    assert made.missed("al", "phone", 9) == []


Query = tuple[int, int, int]
POINTS = st.tuples(st.integers(0, 6), st.integers(0, 20), st.integers(0, 8))


@given(st.lists(st.integers(0, 5), max_size=12), POINTS, POINTS)
def test_queries(arrivals: list[int], first: Query, second: Query) -> None:
    """
    Every question is answered as sorting the messages by hand does it.
    """
    made = history(*arrivals)
    order = sorted((time, serial) for serial, time in enumerate(arrivals, 1))
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
    assert keys(made.latest("al", CATS, limit)) == cut(order, True)
    assert keys(made.latest("al", CATS, limit, one)) == cut(later, True)
    assert keys(made.before("al", CATS, one, limit)) == cut(earlier, True)
    assert keys(made.after("al", CATS, one, limit)) == cut(later, False)
    around = keys(made.around("al", CATS, one, limit))
    assert len(around) <= limit
    assert around == [key for key in order if key in set(around)]
    if limit and one.serial is not None:
        assert one.start in around
    isForward = one.start <= other.start
    low, high = (one, other) if isForward else (other, one)
    inside = [key for key in order if low.end < key < high.start]
    assert keys(made.between("al", CATS, one, other, limit)) == cut(
        inside, not isForward
    )
