"""
Values in what a OneBot program sends: numbers may be texts, anything may be C{null}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_NUMBER = 2**63 - 1

MAX_TIME = 2**33
"""A time in Unix seconds beyond which it is none."""

_WRAP = 2**53


def numberIn(values: Mapping[str, Any], name: str, default: int = 0) -> int:
    """
    Return a number, C{default} where there is none.
    """
    value = values.get(name)
    if isinstance(value, str):
        try:
            value = int(value.strip())
        except ValueError:
            return default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return default
    return value if -MAX_NUMBER <= value <= MAX_NUMBER else default


def idIn(values: Mapping[str, Any], name: str) -> int:
    """
    Return the number of an account or a group, 0 where there is none.
    """
    return max(numberIn(values, name), 0)


def messageIdIn(values: Mapping[str, Any], name: str = "message_id") -> int:
    """
    Return the id of a message as a positive number, 0 where there is none.

    Programs have ids of 32 bits, those of LLTwoBot with a sign. A negative one is
    counted down from 2^53, the greatest whole number that every JSON parser reads.
    """
    number = numberIn(values, name)
    if number >= 0:
        return number
    return number + _WRAP if number > -_WRAP // 2 else 0


def programIdOf(messageId: int) -> int:
    """
    Return the id by which the program knows a message, from that of
    L{messageIdIn}.
    """
    isNegative = _WRAP // 2 < messageId < _WRAP
    return messageId - _WRAP if isNegative else messageId


def timeIn(values: Mapping[str, Any], name: str = "time") -> int:
    """
    Return a time in Unix seconds, 0 where there is none.
    """
    time = numberIn(values, name)
    return time if 0 <= time <= MAX_TIME else 0


def textIn(values: Mapping[str, Any], name: str, default: str = "") -> str:
    """
    Return a text, C{default} where there is none. A number is written as text.
    """
    value = values.get(name)
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return default


def boolIn(values: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """
    Return a boolean, which may be written as a number or a text.
    """
    value = values.get(name)
    if isinstance(value, str):
        return value.strip().lower() in ("true", "1", "yes", "on")
    return default if value is None else bool(value)


def objectIn(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """
    Return an object, an empty one where there is none.
    """
    return objectOf(values.get(name))


def objectOf(value: Any) -> Mapping[str, Any]:
    """
    Return an object, an empty one for all else.
    """
    return value if isinstance(value, dict) else {}


def objectsIn(value: Any) -> list[Mapping[str, Any]]:
    """
    Return the objects of a list, leaving out all else; C{null} is an empty list.
    """
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict)]
