"""
The digests that sign-on is made of (protocol.md 3).
"""

from __future__ import annotations

from hashlib import md5


def saltFor(number: int) -> bytes:
    """
    The salt of an account: its number in eight bytes, big-endian.
    """
    return number.to_bytes(8, "big")


def passwordHash(password: str) -> bytes:
    """
    What a server has to know of a password: the first of the three digests.
    """
    return md5(password.encode("utf-8"), usedforsecurity=False).digest()


def passwordDigest(firstHash: bytes, salt: bytes, verifyCode: str) -> str:
    """
    The C{p} of a login: the password's hash, salted, then mixed with the
    verify code in upper case (protocol.md 3.1).
    """
    salted = md5(firstHash + salt, usedforsecurity=False).hexdigest().upper()
    mixed = (salted + verifyCode.upper()).encode("utf-8")
    return md5(mixed, usedforsecurity=False).hexdigest().upper()
