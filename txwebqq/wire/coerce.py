"""
Values out of JSON and forms, read as leniently as clients and servers need.
"""

from __future__ import annotations

from collections.abc import Callable
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
"""What decoders run into where JSON has another shape than they expect."""


def decodeOrMalformed(decode: Callable[..., D], *args: Any) -> D:
    """
    What a decoder makes of its arguments.

    @raise MalformedReply: when they do not have the shape that it expects.
    """
    try:
        return decode(*args)
    except SHAPE_ERRORS as e:
        raise MalformedReply(f"unexpected shape: {type(e).__name__}") from e


LIMIT = 2**63
"""One more than the largest number on the wire: what databases can hold."""


MAX_EXACT = 2**53 - 1
"""The largest number that JavaScript does not round."""

MAX_ACK = 2**52
"""The largest number of a reply that a client may name; servers go on above
it, and no account is given as many replies as are left."""


def unsigned(value: Any) -> Any:
    """
    A number from JSON that names something, counts or tells a time; clients
    and servers write some of them as text. Typed to fit every kind of id.
    """
    if type(value) is int and 0 <= value < LIMIT:
        return value
    number = int(value)
    if not 0 <= number < LIMIT:
        raise ValueError("a number out of range")
    return number


def ackOf(value: Any) -> int:
    """
    The number of a reply to a poll, as clients name it.

    @raise MalformedReply: when it is none.
    """
    if isinstance(value, (bool, float)):
        raise MalformedReply("ack is not a whole number")
    ack: int = decodeOrMalformed(unsigned, value)
    if ack > MAX_ACK:
        raise MalformedReply("ack is out of range")
    return ack


def integer(value: Any) -> int:
    """
    Any number from JSON, be it written as text.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value
    number = int(value)
    if not -LIMIT < number < LIMIT:
        raise ValueError("a number out of range")
    return number


def textOf(value: Any) -> str:
    """
    A text from JSON; nothing and numbers stand there for some.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise TypeError("no text")
    return str(value)


STATUSES = {status.value: status for status in Status}
"""The presence that each word of the wire means; faster than asking the class."""


def statusOf(word: Any) -> Status:
    """
    The presence that a word means; words of other times mean online.
    """
    return STATUSES.get(textOf(word), Status.ONLINE)


def fastConstructor(cls: Callable[..., V]) -> Callable[..., V]:
    """
    What builds values of a frozen class by position, four times faster than
    the class itself, which sets each field past its own guard: worth it for
    what nearly all polls bring.
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
