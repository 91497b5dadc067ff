"""
The hashes that later servers want with the friend list (protocol.md 3.4).

Each is a function of one's own number and the current C{ptwebqq}; their
letters are those by which clients of the day knew them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

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
        # What lies behind the end counts from the beginning, but shifted: the
        # original's own oddity.
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
"""The hashes in the order in which to try them; each takes a number below
2**32 and a C{ptwebqq}."""
