"""
Hostile values, texts and bytes, and mutations of good ones, by a seeded random.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

NUMBERS = (
    0,
    -1,
    1,
    2**31,
    2**32,
    -(2**31),
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**400,
    0.5,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
)

TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "null",
    "nan",
    "9" * 400,
    "\x00",
    "a\r\nb",
    "\r",
    "'\"<>&\\",
    "\u2028\u202e",
    "\ud83d",
    "\ude00\ud83d",
    "\U0001f600",
    "\ufffd\ufeff",
    "在吗",
    "Ａ" * 300,
    "[" * 300,
    "%00%zz%",
    "../../x",
    "{}",
    '["font",{}]',
    "javascript:",
    "[CQ:at,qq=all]",
    "\x0304,99\x02\x1f",
)

JUNK = (
    b"",
    b"\0",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xe5\x9c",
    b"%",
    b"%00",
    b"=&;",
    b"[" * 400,
    b'{"a":' * 400,
    b"9" * 400,
    b"\\ud83d",
    b"\\u0000",
    b"A" * 9000,
)


def one(random: Random, values: Sequence[T]) -> T:
    """
    Return one of some values.
    """
    return values[int(random.random() * len(values))]


def text(random: Random) -> str:
    """
    Return a text.
    """
    if random.random() < 0.7:
        return one(random, TEXTS)
    return "".join(
        chr(one(random, (random.randrange(128), random.randrange(0x11000))))
        for _ in range(random.randrange(12))
    )


def value(random: Random, depth: int = 3) -> Any:
    """
    Return a value of JSON.
    """
    kind = random.randrange(10 if depth else 6)
    if kind < 2:
        return one(random, NUMBERS)
    if kind < 4:
        return text(random)
    if kind < 6:
        return one(random, (None, True, False, [], {}))
    if kind < 8:
        return [value(random, depth - 1) for _ in range(random.randrange(4))]
    if kind == 8:
        return {text(random): value(random, depth - 1) for _ in range(3)}
    nested: Any = []
    for _ in range(one(random, (5, 60, 400))):
        nested = [nested] if random.random() < 0.5 else {"a": nested}
    return nested


def positions(value: Any) -> list[tuple[Any, Any]]:
    """
    Return every member of every array and object in a value of JSON.
    """
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        members: Any = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        return found
    for key, item in members:
        found.append((value, key))
        found += positions(item)
    return found


def mutate(random: Random, value_: Any) -> Any:
    """
    Change a value of JSON, which is copied before, at up to three positions.
    """
    root = [json.loads(json.dumps(value_))]
    for _ in range(one(random, (0, 1, 1, 1, 2, 3))):
        places = positions(root)
        if not places:
            root.append(None)
            continue
        parent, key = one(random, places)
        kind = random.randrange(6)
        if kind < 3:
            parent[key] = value(random)
        elif kind == 3 and parent is not root:
            del parent[key]
        elif kind == 4:
            parent[key] = [parent[key]] * one(random, (1, 2, 40))
        else:
            parent[key] = one(random, (str(parent[key]), bool(parent[key])))
    return root[0]


def write(random: Random, value_: Any) -> bytes:
    """
    Write a value as JSON, at times malformed: with C{NaN}, bare control characters,
    members of the same name, or more behind it.
    """
    isPlain = random.random() < 0.5
    data = json.dumps(value_, ensure_ascii=isPlain).encode("utf-8", "surrogatepass")
    kind = random.randrange(12)
    if kind == 0:
        return data + one(random, JUNK)
    if kind == 1:
        return data.replace(b"{", b'{"retcode":0,"retcode":"0",', 1)
    if kind == 2:
        return data.replace(b": ", b":").replace(b", ", b",\t\r\n")
    if kind == 3:
        return data.replace(b"\\n", b"\n").replace(b"\\u0000", b"\0")
    return data


def damage(random: Random, data: bytes) -> bytes:
    """
    Change bytes at up to four places: flipped, removed, repeated, or others between
    them.
    """
    for _ in range(one(random, (1, 1, 2, 4))):
        start = random.randrange(len(data) + 1)
        end = min(len(data), start + one(random, (0, 1, 1, 4, 30)))
        kind = random.randrange(5)
        if kind == 0:
            data = data[:start] + data[end:]
        elif kind == 1:
            data = data[:start] + one(random, JUNK) + data[end:]
        elif kind == 2:
            data = data[:end] + data[start:end] * one(random, (1, 3)) + data[end:]
        elif kind == 3:
            data = data[:start] + random.randbytes(end - start) + data[end:]
        else:
            data = data[:start]
    return data


def cuts(random: Random) -> tuple[int, ...]:
    """
    Return the sizes of the segments in which bytes arrive; the rest is one more.
    """
    if random.random() < 0.7:
        return ()
    return tuple(random.randrange(1, 40) for _ in range(random.randrange(1, 5)))


def segments(data: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    """
    Divide bytes into segments.
    """
    found = []
    for size in sizes:
        found.append(data[:size])
        data = data[size:]
    return [each for each in [*found, data] if each]
