"""
The ids under which one session knows people and groups (protocol.md 1.2).

A session has no table of them: its key shuffles the 32-bit numbers, and
shuffling backwards finds whom an id means. So a session stays small however
many friends it has, and knows the same ids after a relink. No two people, no
two gids and no two codes of a session are alike.
"""

from __future__ import annotations

from txwebqq.model import Code, Gid, Number, Uin
from txwebqq.server.records import LOWEST_NUMBER
from txwebqq.wire.commands.contacts import GLOBAL_MASK

KEY_BITS = 96


_MASK = 2**32 - 1
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B
_FIRST_INVERSE = pow(_FIRST, -1, 2**32)
_SECOND_INVERSE = pow(_SECOND, -1, 2**32)
_PEOPLE = 0
_GIDS = 0x9E3779B97F4A7C15F39CC060
_CODES = 0xC2B2AE3D27D4EB4F165667B1

# Ids that mean something else on the wire: nobody, all groups, the system.
_RESERVED = (0, GLOBAL_MASK, 10000)

# No number is so small, so it can stand in for one that must not be shuffled.
_STAND_IN = 999


def _shuffle(x: int, key: int) -> int:
    x ^= key & _MASK
    x ^= x >> 16
    x = x * _FIRST & _MASK
    x ^= x >> 15
    x ^= key >> 32 & _MASK
    x = x * _SECOND & _MASK
    x ^= x >> 16
    return x ^ key >> 64


def _unshuffle(x: int, key: int) -> int:
    x ^= key >> 64
    x ^= x >> 16
    x = x * _SECOND_INVERSE & _MASK
    x ^= key >> 32 & _MASK
    x ^= x >> 15 ^ x >> 30
    x = x * _FIRST_INVERSE & _MASK
    x ^= x >> 16
    return x ^ key & _MASK


class SessionIds:
    """
    What a session calls everybody.

    @ivar own: the account's number, which is its own uin and nobody else's id.
    """

    __slots__ = ("_key", "own")

    def __init__(self, own: Number, key: int) -> None:
        self.own = own
        self._key = key

    def uin(self, number: Number) -> Uin:
        """
        What the session calls a person.
        """
        if number == self.own:
            return Uin(number)
        return Uin(self._out(number, _PEOPLE))

    def person(self, uin: Uin) -> Number | None:
        """
        Whom an id would mean, existing or not; L{None} if it can mean nobody.
        """
        return self.own if int(uin) == self.own else self._back(uin, _PEOPLE)

    def gid(self, group: Number) -> Gid:
        """
        What the session sends to for a group.
        """
        return Gid(self._out(group, _GIDS))

    def groupOfGid(self, gid: Gid) -> Number | None:
        """
        The group that a gid would mean.
        """
        return self._back(gid, _GIDS)

    def code(self, group: Number) -> Code:
        """
        What the session asks by for a group.
        """
        return Code(self._out(group, _CODES))

    def groupOfCode(self, code: Code) -> Number | None:
        """
        The group that a code would mean.
        """
        return self._back(code, _CODES)

    def _isBarred(self, x: int) -> bool:
        return x == self.own or x in _RESERVED

    def _out(self, number: int, kind: int) -> int:
        key = self._key ^ kind
        # A group may have our own number for its own.
        x = _shuffle(_STAND_IN if number == self.own else number, key)
        while self._isBarred(x):
            x = _shuffle(x, key)
        return x

    def _back(self, alias: int, kind: int) -> Number | None:
        if not 0 < alias <= _MASK or self._isBarred(alias):
            return None
        key = self._key ^ kind
        x = _unshuffle(alias, key)
        while self._isBarred(x):
            x = _unshuffle(x, key)
        if x == _STAND_IN:
            return self.own
        return Number(x) if x >= LOWEST_NUMBER else None
