"""
Hashes of passwords by scrypt (RFC 7914), written as C{$scrypt$ln=15,r=8,p=1$SALT$HASH}.

The cost of a hash makes guessing slow for those who have read it in a file. Passwords
of WebQQ accounts cannot be stored so: their protocol proves the MD5.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from txwebqq.errors import InvalidConfiguration

LOG_COST, BLOCK, PARALLEL = 15, 8, 1
"""The parameters of new hashes: 32 MiB of memory, and a tenth of a second."""

SALT, SIZE = 16, 32
"""Length of the salt and of the hash, in bytes."""

MAX_WORK = 2**20
"""Maximum product of the parameters; one check takes about three seconds then."""

MAX_MEMORY = 128 * 2**20
"""Maximum memory of one check, in bytes."""

_FORM = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,3}),p=([0-9]{1,3})"
    r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """
    The hash of a password.

    @ivar cost: the number of rounds, a power of 2; with C{block} and C{parallel} the
        parameters N, r and p of RFC 7914.
    """

    cost: int
    block: int
    parallel: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @property
    def work(self) -> int:
        """
        The number to which the time of a check is proportional.
        """
        return self.cost * self.block * self.parallel

    def isOf(self, password: str) -> bool:
        """
        Check a password. This takes long on purpose.
        """
        raw = password.encode("utf-8", "replace")
        digest = _scrypt(raw, self.salt, self.cost, self.block, self.parallel)
        return hmac.compare_digest(digest[: len(self.digest)], self.digest)

    def __str__(self) -> str:
        parameters = f"ln={self.cost.bit_length() - 1},r={self.block},p={self.parallel}"
        return f"$scrypt${parameters}${_encoded(self.salt)}${_encoded(self.digest)}"


def hashPassword(password: str) -> PasswordHash:
    """
    Make the hash of a password, with a random salt.
    """
    salt, cost = os.urandom(SALT), 1 << LOG_COST
    digest = _scrypt(password.encode(), salt, cost, BLOCK, PARALLEL)
    return PasswordHash(cost, BLOCK, PARALLEL, salt, digest)


def parseHash(text: str) -> PasswordHash:
    """
    Read the text of a hash.

    @raise InvalidConfiguration: when it is none, or one that takes too long to check;
        does not repeat the text.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidConfiguration(
            "is not a hash as webqq-admin hash-password writes it: $scrypt$ln=..."
        )
    logCost, block, parallel = (int(found[n]) for n in (1, 2, 3))
    if not (logCost and block and parallel):
        raise InvalidConfiguration("has a parameter 0")
    cost = 1 << logCost
    if cost * block * parallel > MAX_WORK or 128 * cost * block > MAX_MEMORY:
        raise InvalidConfiguration(
            f"takes too long to check: N * r * p is more than {MAX_WORK}, or it needs"
            f" more than {MAX_MEMORY >> 20} MiB"
        )
    salt, digest = _decoded(found[4]), _decoded(found[5])
    if not 4 <= len(salt) <= 64 or len(digest) != SIZE:
        raise InvalidConfiguration(
            f"has a salt or a hash of another length: {SIZE} bytes are needed"
        )
    return PasswordHash(cost, block, parallel, salt, digest)


def dummyHash(hashes: Iterable[PasswordHash]) -> PasswordHash | None:
    """
    Return a hash of no password, which takes as long to check as the slowest of
    some hashes; L{None} if there are none.
    """
    slowest = max(hashes, key=lambda each: each.work, default=None)
    if slowest is None:
        return None
    return replace(slowest, salt=os.urandom(SALT), digest=os.urandom(SIZE))


def _scrypt(raw: bytes, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        raw, salt=salt, n=cost, r=block, p=parallel, maxmem=2 * MAX_MEMORY, dklen=SIZE
    )


def _encoded(raw: bytes) -> str:
    return b64encode(raw).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return b""
