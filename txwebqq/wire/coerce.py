"""
Conversion of values from JSON and forms, as lenient as clients and servers need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from txwebqq.errors import MalformedReply
from txwebqq.model import Status

D = TypeVar("D")

SHAPE_ERRORS = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)
"""The exceptions that a decoder raises for JSON of an unexpected shape."""


class Expected(ValueError):
    """
    A value from JSON is not what it should be; the text says what was expected, and
    never quotes the value.
    """


def listIn(value: Any, name: str) -> list[Any]:
    """
    Return a list that is a member of a JSON object; an empty one when it is missing,
    or is not a list, or the value is not an object.
    """
    entries = value.get(name) if isinstance(value, dict) else None
    return entries if isinstance(entries, list) else []


_UNREADABLE = (MalformedReply, *SHAPE_ERRORS)


def decodeEach(decode: Callable[[Any], D], entries: Any) -> list[D]:
    """
    Decode the entries of a list. An entry of an unexpected shape is left out: it must
    not cost the others. A value that is not a list has no entries.
    """
    decoded = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            decoded.append(decode(entry))
        except _UNREADABLE:
            continue
    return decoded


def column(
    entries: Any, key: str, member: str, read: Callable[[Any], D]
) -> dict[Any, D]:
    """
    Index one member of the objects in a list by another, which is a number. Objects
    of an unexpected shape are left out.
    """
    found = {}
    for entry in entries if isinstance(entries, list) else ():
        try:
            found[unsigned(entry[key])] = read(entry[member])
        except _UNREADABLE:
            continue
    return found


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

    @raise Expected: when it is no number, below 0 or above the limit.
    """
    if type(value) is int and 0 <= value < LIMIT:
        return value
    number = integer(value)
    if number < 0:
        raise Expected("a number of at least 0")
    return number


def integer(value: Any) -> int:
    """
    Convert a number from JSON, which may be a string and negative.

    @raise Expected: when it is no number, or out of range.
    """
    if type(value) is int and -LIMIT < value < LIMIT:
        return value
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        # The text of the error would quote the value.
        raise Expected("an integer") from None
    if not -LIMIT < number < LIMIT:
        raise Expected("an integer of at most 63 bits")
    return number


def ackOf(value: Any) -> int:
    """
    Convert the acknowledgement number that a client sent.

    @raise MalformedReply: when the value is not a whole number in range.
    """
    try:
        ack: int = -1 if isinstance(value, (bool, float)) else unsigned(value)
    except Expected:
        ack = -1
    if ack < 0:
        raise MalformedReply("ack is not a whole number")
    if ack > MAX_ACK:
        raise MalformedReply("ack is out of range")
    return ack


def count(value: Any) -> int:
    """
    Convert a number that may be null or empty, which means 0: accounts hide some
    of their details.
    """
    return integer(value) if value else 0


def textOf(value: Any) -> str:
    """
    Convert a text from JSON; some clients and servers write null or a number.

    @raise Expected: for an object, a list or a boolean.
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, bool)):
        raise Expected("a text")
    return str(value)


STATUSES = {status.value: status for status in Status}
"""The status of each word of the wire; faster to look up than by the class."""


def statusOf(word: Any) -> Status:
    """
    Return the status of a word; words that are not known mean online.
    """
    return STATUSES.get(textOf(word), Status.ONLINE)
