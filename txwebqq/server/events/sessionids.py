"""
The ids by which one session knows accounts and groups (protocol.md 1.2).

A session has no table of ids. A keyed permutation of the 32-bit numbers makes
an id from a number, and its inverse makes the number from an id. So the size
of a session does not depend on the number of friends, and the ids stay the
same after a relink. Within a session, ids of different accounts, gids of
different groups and codes of different groups are different.
"""

from __future__ import annotations

from txwebqq.model import Code, Gid, Number, Uin
from txwebqq.server.records import LOWEST_NUMBER
from txwebqq.wire.commands.contacts import GLOBAL_MASK

KEY_BITS = 96
"""Length of the key of a session, in bits."""
_MASK = 2**32 - 1
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B
_FIRST_INVERSE = pow(_FIRST, -1, 2**32)
_SECOND_INVERSE = pow(_SECOND, -1, 2**32)
_ACCOUNTS = 0
_GIDS = 0x9E3779B97F4A7C15F39CC060
_CODES = 0xC2B2AE3D27D4EB4F165667B1

# Ids with a meaning of their own on the wire: no account, all groups, system.
_RESERVED = (0, GLOBAL_MASK, 10000)

# No number of an account or a group; stands in for the session's own number.
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
    The ids of one session.

    @ivar own: the number of the account, which is its own uin and no other id.
    @ivar key: the key of the permutation, of L{KEY_BITS} bits.
    """

    __slots__ = ("key", "own")

    def __init__(self, own: Number, key: int) -> None:
        self.own = own
        self.key = key

    def uin(self, number: Number) -> Uin:
        """
        Return the uin of an account.
        """
        if number == self.own:
            return Uin(number)
        return Uin(self._out(number, _ACCOUNTS))

    def person(self, uin: Uin) -> Number | None:
        """
        Return the number of the account with a uin, which may not exist; L{None}
        for an id that cannot be a uin.
        """
        return self.own if int(uin) == self.own else self._back(uin, _ACCOUNTS)

    def gid(self, group: Number) -> Gid:
        """
        Return the gid of a group, to which messages are sent.
        """
        return Gid(self._out(group, _GIDS))

    def groupOfGid(self, gid: Gid) -> Number | None:
        """
        Return the number of the group with a gid, which may not exist.
        """
        return self._back(gid, _GIDS)

    def code(self, group: Number) -> Code:
        """
        Return the code of a group, by which details are requested.
        """
        return Code(self._out(group, _CODES))

    def groupOfCode(self, code: Code) -> Number | None:
        """
        Return the number of the group with a code, which may not exist.
        """
        return self._back(code, _CODES)

    def _isReserved(self, x: int) -> bool:
        return x == self.own or x in _RESERVED

    def _out(self, number: int, kind: int) -> int:
        key = self.key ^ kind
        # A group may have the same number as the session's account.
        x = _shuffle(_STAND_IN if number == self.own else number, key)
        while self._isReserved(x):
            x = _shuffle(x, key)
        return x

    def _back(self, sessionId: int, kind: int) -> Number | None:
        if not 0 < sessionId <= _MASK or self._isReserved(sessionId):
            return None
        key = self.key ^ kind
        x = _unshuffle(sessionId, key)
        while self._isReserved(x):
            x = _unshuffle(x, key)
        if x == _STAND_IN:
            return self.own
        return Number(x) if x >= LOWEST_NUMBER else None
