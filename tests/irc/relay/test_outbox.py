"""
What waits for its place.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.irc.relay.outbox import Piece, Spool, Taken, Tone
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.sqlite.database import MEMORY, Database


def piece(origin: str, lane: str = "a", time: int = 0, isReady: bool = True) -> Piece:
    return Piece(lane, origin, time, "bob", f"words of {origin}", isReady=isReady)


def take(spool: Spool, *origins: str, limit: int = 100) -> list[Taken]:
    return [spool.take(piece(o), limit, OverflowPolicy.REFUSE_NEW) for o in origins]


@pytest.fixture
def spool() -> Spool:
    """
    An empty one.
    """
    return Spool(Database(MEMORY, RELAY_SCHEMA))


def drain(spool: Spool, lane: str = "a") -> list[str]:
    """
    What is said in a lane until there is nothing left.
    """
    said = []
    while (first := spool.first(lane)) is not None:
        said.append(first.origin)
        spool.advance(first, "")
    return said


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20))))
def test_order(taken: list[tuple[str, int]]) -> None:
    """
    Each lane keeps its order, and takes nothing twice.
    """
    spool = Spool(Database(MEMORY, RELAY_SCHEMA))
    for lane, origin in taken:
        spool.take(piece(str(origin), lane), 100, OverflowPolicy.REFUSE_NEW)
    for lane in "ab":
        ours = [str(origin) for where, origin in taken if where == lane]
        assert drain(spool, lane) == list(dict.fromkeys(ours))


def test_known(spool: Spool) -> None:
    """
    What was said is not taken again, until it is forgotten; what waits is not
    forgotten.
    """
    assert take(spool, "x", "x") == [Taken.TAKEN, Taken.KNOWN]
    spool.forget(1)
    assert take(spool, "x") == [Taken.KNOWN]
    drain(spool)
    assert take(spool, "x") == [Taken.KNOWN]
    spool.forget(1)
    assert take(spool, "x") == [Taken.TAKEN]


def test_rest(spool: Spool) -> None:
    """
    The rest of a piece comes before the next one.
    """
    take(spool, "x", "y")
    first = spool.first("a")
    assert first is not None
    spool.begin(first, 5)
    spool.advance(first, "the rest")
    rest = spool.first("a")
    assert rest is not None
    assert (rest.text, rest.begun, rest.serial) == ("the rest", 0, first.serial)


def test_restart(tmp_path: Path) -> None:
    """
    After a restart nobody is there any more to complete what is not: it is
    said as it is. What was begun is still known to be.
    """
    database = Database(tmp_path / "relay.sqlite", RELAY_SCHEMA)
    spool = Spool(database)
    spool.take(piece("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    first = spool.first("a")
    assert first is not None
    assert not first.isReady
    spool.begin(first, 5)
    database.close()
    again = Spool(Database(tmp_path / "relay.sqlite", RELAY_SCHEMA))
    first = again.first("a")
    assert first is not None
    assert (first.isReady, first.begun, first.tone) == (True, 5, Tone.WORDS)


def test_limits(spool: Spool) -> None:
    """
    Where too many wait, the new ones or the oldest but one are lost, and
    counted until that is told.
    """
    taken = take(spool, "x", "y", "z", limit=2)
    assert taken == [Taken.TAKEN, Taken.TAKEN, Taken.FULL]
    assert spool.take(piece("w"), 2, OverflowPolicy.DROP_OLDEST) is Taken.INSTEAD
    assert spool.lost("a") == 2
    assert drain(spool) == ["x", "w"]
    spool.told("a")
    assert spool.lost("a") == 0


def test_complete(spool: Spool) -> None:
    """
    Who said it and how may be known later, and that it is not to be said; not
    so when it may have been said by then.
    """
    spool.take(piece("x", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    spool.complete("a", "x", "ming", "waves", Tone.ACTION)
    first = spool.first("a")
    assert first is not None
    assert (first.author, first.text, first.tone) == ("ming", "waves", Tone.ACTION)
    spool.withdraw("a", "x")
    assert spool.lanes() == {"a": 1}
    spool.take(piece("y", "b", isReady=False), 100, OverflowPolicy.REFUSE_NEW)
    spool.withdraw("b", "y")
    assert spool.lanes() == {"a": 1}


def test_smallerLimit(spool: Spool) -> None:
    """
    Where more wait than may, since the limit was larger, so many are left out.
    """
    take(spool, *"uvwxy")
    assert spool.take(piece("z"), 2, OverflowPolicy.DROP_OLDEST) is Taken.INSTEAD
    assert drain(spool) == ["u", "z"]
    assert spool.lost("a") == 4
