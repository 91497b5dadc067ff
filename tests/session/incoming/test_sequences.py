"""
The running numbers of messages, without a session.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from txwebqq.session.incoming.sequences import MAX_HOLES, Sequences

CATS = ("group", 1)
TEA = ("discussion", 1)
TIME = 1_366_004_000


def missing(*numbers: int, sent: int = 0, time: int = TIME) -> int:
    """
    Count what is missing after messages with some numbers.
    """
    sequences = Sequences()
    for number in numbers:
        sequences.received(CATS, number, time)
    for _ in range(sent):
        sequences.sent(CATS)
    if not sequences.suspects():
        return 0
    return sequences.take(CATS).certain


def test_gap() -> None:
    """
    Numbers between two that came are missing, from the first one that came on.
    """
    assert missing(27) == 0
    assert missing(27, 28, 29) == 0
    assert missing(27, 29) == 1
    assert missing(27, 29, 30, 33) == 3


def test_holes() -> None:
    """
    Numbers that were judged are not missing any more, and the gaps are told once.
    """
    sequences = Sequences()
    assert [sequences.received(CATS, n, TIME) for n in (5, 8, 9, 11)] == [
        False,
        True,
        False,
        True,
    ]
    assert sequences.suspects() == [CATS]
    assert sequences.take(CATS) == (3, 3, [(5, 8), (9, 11)])
    assert sequences.suspects() == []
    assert sequences.received(CATS, 12, TIME) is False
    assert sequences.received(CATS, 14, TIME) is True
    assert sequences.take(CATS) == (1, 1, [(12, 14)])


def test_own() -> None:
    """
    The account's own messages have numbers, and do not come. One that was not sent
    after all has none.
    """
    assert missing(27, 29, sent=1) == 0
    assert missing(27, 30, sent=1) == 1
    sequences = Sequences()
    sequences.sent(CATS)
    sequences.received(CATS, 27, TIME)
    sequences.sent(CATS, -1)
    assert sequences.received(CATS, 29, TIME) is True


def test_late() -> None:
    """
    Messages that come in another order are not missing.
    """
    assert missing(1, 3, 2) == 0
    assert missing(1, 5, 3) == 2
    assert missing(1, 5, 4, 2, 3) == 0
    assert missing(1, 5, 5, 1, 3, 3) == 2


def test_newBeginning() -> None:
    """
    A server that counts from the time of its start goes on from a higher number, and
    one whose clock was set back from a lower one: neither is certainly a gap.
    """
    sequences = Sequences()
    sequences.received(CATS, TIME - 500, TIME)
    assert sequences.received(CATS, TIME + 2, TIME + 9)
    assert sequences.take(CATS) == (501, 0, [(TIME - 500, TIME + 2)])
    assert not sequences.received(CATS, TIME + 3, TIME + 9)
    assert sequences.received(CATS, TIME + 5, TIME + 9)
    assert sequences.take(CATS).certain == 1
    assert missing(TIME - 500, TIME - 499, TIME + 1) == 0
    assert missing(TIME - 500, TIME - 499, TIME - 9000, TIME - 8999) == 0
    assert missing(TIME - 500, TIME - 498) == 1
    assert missing(500, 2) == 0


def test_withoutNumbers() -> None:
    """
    Servers that do not number messages have no gaps.
    """
    assert missing(0, 0, 0) == 0
    assert missing(7, 0, 8) == 0


def test_apart() -> None:
    """
    Groups and discussions have numbers of their own.
    """
    sequences = Sequences()
    for conversation in (CATS, TEA):
        assert not sequences.received(conversation, 5, TIME)
    assert sequences.received(TEA, 7, TIME)
    assert sequences.suspects() == [TEA]


def test_forget() -> None:
    """
    A conversation that is forgotten begins with its next message; own messages that
    are under way have numbers there.
    """
    sequences = Sequences()
    sequences.received(CATS, 5, TIME)
    sequences.received(TEA, 5, TIME)
    sequences.sent(CATS)
    sequences.forget(CATS)
    sequences.forget(("group", 9))
    assert not sequences.received(CATS, 50, TIME)
    assert not sequences.received(CATS, 52, TIME)
    assert sequences.received(TEA, 8, TIME)
    sequences.forget()
    assert not sequences.received(TEA, 80, TIME)
    assert sequences.suspects() == []


def test_bounded() -> None:
    """
    The gaps that are remembered are limited, and all of them are counted.
    """
    sequences = Sequences()
    for number in range(1, 1000, 2):
        sequences.received(CATS, number, TIME)
    count, certain, holes = sequences.take(CATS)
    assert count == certain == 499
    assert len(holes) == MAX_HOLES


@given(st.permutations(range(2, 12)), st.sets(st.integers(2, 11)))
def test_anyOrder(order: list[int], own: set[int]) -> None:
    """
    In any order, nothing is missing once all but the own ones have come.
    """
    sequences = Sequences()
    sequences.received(CATS, 1, TIME)
    for number in order:
        if number in own:
            sequences.sent(CATS)
        else:
            sequences.received(CATS, number, TIME)
    sequences.received(CATS, 12, TIME)
    assert sequences.suspects() == []
