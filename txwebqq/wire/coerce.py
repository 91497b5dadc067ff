"""
Conversion of values from JSON and forms, as lenient as clients and servers need,
and fast construction of frozen values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import MISSING, fields, make_dataclass
from typing import Any, TypeVar, cast

from txwebqq.errors import MalformedReply
from txwebqq.model import Status

D = TypeVar("D")
V = TypeVar("V")

SHAPE_ERRORS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""The exceptions that a decoder raises for JSON of an unexpected shape."""


def decodeOrMalformed(decode: Callable[..., D], *args: Any) -> D:
    """
    Call a decoder.

    @raise MalformedReply: when the decoder raises one of L{SHAPE_ERRORS}.
    """
    try:
        return decode(*args)
    except SHAPE_ERRORS as e:
        raise MalformedReply(f"unexpected shape: {type(e).__name__}") from e


def listIn(value: Any, name: str) -> list[Any]:
    """
    Return a list that is a member of a JSON object; an empty one when it is missing,
    or is not a list, or the value is not an object.
    """
    entries = value.get(name) if isinstance(value, dict) else None
    return entries if isinstance(entries, list) else []


def decodeEach(decode: Callable[[Any], D], entries: Any) -> Iterator[D]:
    """
    Decode the entries of a list. An entry of an unexpected shape is left out: it must
    not cost the others. A value that is not a list has no entries.
    """
    for entry in entries if isinstance(entries, list) else ():
        with suppress(MalformedReply, *SHAPE_ERRORS):
            yield decode(entry)


LIMIT = 2**63
"""One more than the largest number on the wire, which SQLite can store."""


MAX_EXACT = 2**53 - 1
"""The largest number that JavaScript does not round."""

MAX_ACK = 2**52
"""The largest acknowledgement number that a client may send. Servers number their
replies from there on; no account is sent enough replies to reach the end."""


def unsigned(value: Any) -> Any:
    """
    Convert an id, a count or a time from JSON, which some clients and servers write
    as a string. The result is typed as any kind of id.

    @raise ValueError: for a number below 0 or above the limit.
    """
    if type(value) is int and 0 <= value < LIMIT:
        return value
    number = int(value)
    if not 0 <= number < LIMIT:
        raise ValueError("a number out of range")
    return number


def ackOf(value: Any) -> int:
    """
    Convert the acknowledgement number that a client sent.

    @raise MalformedReply: when the value is not a whole number in range.
    """
    if isinstance(value, (bool, float)):
        raise MalformedReply("ack is not a whole number")
    ack: int = decodeOrMalformed(unsigned, value)
    if ack > MAX_ACK:
        raise MalformedReply("ack is out of range")
    return ack


def integer(value: Any) -> int:
    """
    Convert a number from JSON, which may be a string and negative.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value
    number = int(value)
    if not -LIMIT < number < LIMIT:
        raise ValueError("a number out of range")
    return number


def textOf(value: Any) -> str:
    """
    Convert a text from JSON; some clients and servers write null or a number.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise TypeError("no text")
    return str(value)


STATUSES = {status.value: status for status in Status}
"""The status of each word of the wire; faster to look up than by the class."""


def statusOf(word: Any) -> Status:
    """
    Return the status of a word; words that are not known mean online.
    """
    return STATUSES.get(textOf(word), Status.ONLINE)


def fastConstructor(cls: Callable[..., V]) -> Callable[..., V]:
    """
    Make a constructor of a frozen dataclass that takes its fields by position.

    It builds values four times faster than the class, which sets each field through
    C{object.__setattr__}: for values that nearly every poll brings. It fills the
    fields of an unfrozen class of the same layout, and then makes the object one of
    the frozen class.
    """
    members = [
        (f.name, object) if f.default is MISSING else (f.name, object, f.default)
        for f in fields(cast(Any, cls))
    ]
    thawed: Any = make_dataclass(
        cls.__name__, members, bases=cast(Any, cls).__bases__, slots=True
    )

    def build(*values: Any) -> V:
        value = thawed(*values)
        value.__class__ = cls
        return cast(V, value)

    return build
