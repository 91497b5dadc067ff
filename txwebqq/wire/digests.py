"""
Digests of the sign-on: those of the password, and the hashes that later servers
require for the friend list (protocol.md 3).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5
from itertools import cycle


def saltFor(number: int) -> bytes:
    """
    Return the salt of an account: its number in eight bytes, big-endian.
    """
    return number.to_bytes(8, "big")


def passwordHash(password: str) -> bytes:
    """
    Return the first of the three digests of a password, which a server stores.
    """
    return md5(password.encode("utf-8"), usedforsecurity=False).digest()


def passwordDigest(firstHash: bytes, salt: bytes, verifyCode: str) -> str:
    """
    Return the C{p} of a login: the password's hash, salted, then mixed with the verify
    code in upper case (protocol.md 3.1).
    """
    salted = md5(firstHash + salt, usedforsecurity=False).hexdigest().upper()
    mixed = (salted + verifyCode.upper()).encode("utf-8")
    return md5(mixed, usedforsecurity=False).hexdigest().upper()


_WORD = 0xFFFFFFFF


def _hashO(number: int, ptwebqq: str) -> str:
    text = ptwebqq + "password error"
    pairs = zip(text.encode(), cycle(str(number).encode()), strict=False)
    return "".join(f"{a ^ b:02X}" for a, b in pairs)


def _hashP(number: int, ptwebqq: str) -> str:
    folded = [0, 0, 0, 0]
    for i, byte in enumerate(ptwebqq.encode()):
        folded[i % 4] ^= byte
    own = [a ^ b for a, b in zip(number.to_bytes(4, "big"), b"ECOK", strict=True)]
    return "".join(f"{a:02X}{b:02X}" for a, b in zip(folded, own, strict=True))


def _hashN(number: int, ptwebqq: str) -> str:
    text = ptwebqq.encode()
    n = len(text)
    at, result = 0, _WORD
    if not n:
        return f"{result:08X}"
    for digit in str(number):
        at = (at + int(digit)) % n
        window = text[at : at + 4]
        # Behind the end the original goes on at the beginning, but shifted.
        missing = at + 4 - n
        if missing > 0:
            picked = bytearray(4)
            for k in range(4):
                index = at + k if k < missing else k - missing
                picked[k] = text[index] if index < n else 0
            window = bytes(picked)
        result ^= int.from_bytes(window, "big")
    return f"{result:08X}"


def _hashQ(number: int, ptwebqq: str) -> str:
    r0, r1, r2, r3 = number.to_bytes(4, "big")
    w = bytearray(ptwebqq.encode())
    stack = [(0, len(w) - 1)]
    while stack:
        start, end = stack.pop()
        if start >= end or start < 0 or end >= len(w):
            continue
        if start + 1 == end:
            if w[start] > w[end]:
                w[start], w[end] = w[end], w[start]
            continue
        low, high, pivot = start, end, w[start]
        while start < end:
            while start < end and w[end] >= pivot:
                end -= 1
                r0 = (r0 + 3) & 255
            if start < end:
                w[start] = w[end]
                start += 1
                r1 = (r1 * 13 + 43) & 255
            while start < end and w[start] <= pivot:
                start += 1
                r2 = (r2 - 3) & 255
            if start < end:
                w[end] = w[start]
                end -= 1
                r3 = (r0 ^ r1 ^ r2 ^ (r3 + 1)) & 255
        w[start] = pivot
        stack += [(low, start - 1), (start + 1, high)]
    return f"{r0:02X}{r1:02X}{r2:02X}{r3:02X}"


FRIEND_HASHES: dict[str, Callable[[int, str], str]] = {
    "N": _hashN,
    "O": _hashO,
    "P": _hashP,
    "Q": _hashQ,
}
"""The hashes of the friend list (protocol.md 3.4), by the letters that clients of the
time gave them, in the order in which to try them. Each is a function of a number
below 2**32, the account's, and its C{ptwebqq}."""
