"""
The ids by which one session knows accounts and groups.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from txwebqq.model import Number, Uin
from txwebqq.server.events.sessionids import KEY_BITS, SessionIds
from txwebqq.server.records import HIGHEST_NUMBER, LOWEST_NUMBER

ALICE = Number(10001)

keys = st.integers(0, 2**KEY_BITS - 1)
numbers = st.integers(LOWEST_NUMBER, HIGHEST_NUMBER).map(Number)


@given(keys, numbers, numbers)
def test_back(key: int, own: Number, number: Number) -> None:
    """
    Each id is translated back to the number that it was made from.
    """
    sessionIds = SessionIds(own, key)
    assert sessionIds.person(sessionIds.uin(number)) == number
    assert sessionIds.groupOfGid(sessionIds.gid(number)) == number
    assert sessionIds.groupOfCode(sessionIds.code(number)) == number


@given(keys, numbers, numbers)
def test_areAllowed(key: int, own: Number, number: Number) -> None:
    """
    An id of a session is never one that has another meaning on the wire.
    """
    sessionIds = SessionIds(own, key)
    ids = {sessionIds.gid(number), sessionIds.code(number)}
    if number != own:
        ids.add(sessionIds.uin(number))
    assert all(0 < each < 2**32 for each in ids)
    assert not ids & {1000, 10000, own}


def test_ownUin() -> None:
    """
    An account's own uin is its number.
    """
    sessionIds = SessionIds(ALICE, 7)
    assert sessionIds.uin(ALICE) == Uin(ALICE)
    assert sessionIds.person(Uin(ALICE)) == ALICE


def test_reserved() -> None:
    """
    A number whose id would be a reserved one gets another id, which is
    translated back.
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
    Each integer is translated to a number, or to none.
    """
    person = SessionIds(ALICE, key).person(Uin(alias))
    assert person is None or LOWEST_NUMBER <= person <= HIGHEST_NUMBER


def test_differ() -> None:
    """
    Adjacent numbers have no adjacent ids, and ids of one type are unique.
    """
    sessionIds = SessionIds(ALICE, Random(1).getrandbits(KEY_BITS))
    uins = [sessionIds.uin(Number(n)) for n in range(20_000, 24_000)]
    groups = [sessionIds.gid(Number(n)) for n in range(20_000, 24_000)]
    codes = [sessionIds.code(Number(n)) for n in range(20_000, 24_000)]
    for ids in (uins, groups, codes):
        assert len(set(ids)) == 4_000
    gaps = [abs(a - b) for a, b in pairwise(uins)]
    assert sum(gap < 2**20 for gap in gaps) < 20
