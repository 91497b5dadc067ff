"""
Log events as lines of JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import Enum
from string import Formatter
from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure
from twisted.python.reflect import qual, safe_repr, safe_str

OWN = ("time", "level", "namespace", "message", "failure", "traceback")
"""The names that each line may have; a field of an event that has one of them gets
an underscore at its end."""

UNHANDLED = "Unhandled error"
"""The message of a failure that an older interface of Twisted has logged without
one."""


def jsonLine(event: LogEvent) -> str | None:
    """
    Write an event as one line, which ends with a newline.

    The line is an object of JSON in ASCII for all events. Its fields are
    those that the text of the event shows, so it tells no more than the text does.

    @return: L{None} for an event without a text, which is not logged as text either.
    """
    try:
        line = _object(event)
        return None if line is None else json.dumps(line, allow_nan=False) + "\n"
    except Exception as e:
        # The log is the last place that could tell of it.
        line = {
            "level": "error",
            "namespace": __name__,
            "message": f"An event cannot be logged: {safe_str(e)}",
        }
        return json.dumps(line) + "\n"


def _object(event: LogEvent) -> dict[str, Any] | None:
    failure = event.get("log_failure")
    message = formatEvent(event)
    isLegacy = event.get("log_namespace") == "log_legacy"
    if isLegacy and isinstance(event.get("failure"), Failure):
        # Its text has the traceback at its end.
        failure = event["failure"]
        message = safe_str(event.get("why") or UNHANDLED)
    if not message and failure is None:
        return None
    level = event.get("log_level") or LogLevel.info
    line: dict[str, Any] = {
        "time": _time(event.get("log_time")),
        "level": level.name,
        "namespace": _text(event.get("log_namespace") or "-"),
        "message": _text(message),
    }
    if not isLegacy:
        for name in _fields(event.get("log_format")):
            if name in event:
                key = f"{name}_" if name in OWN else name
                line[key] = _value(event[name])
    if isinstance(failure, Failure):
        line["failure"] = _text(qual(failure.type or Exception))
        line["traceback"] = _text(_traceback(failure))
    return line


def _fields(text: Any) -> Iterator[str]:
    """
    Generate the names of fields that a format shows as they are. Those of which it
    shows an attribute or a result are in the message only.
    """
    if not isinstance(text, str):
        return
    try:
        names = [name for _, name, _, _ in Formatter().parse(text) if name]
    except ValueError:
        # The message tells that the format is wrong.
        return
    for name in names:
        if name.isidentifier() and not name.startswith("log_"):
            yield name


def _time(seconds: Any) -> str | None:
    if seconds is None:
        return None
    time = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return time.removesuffix("+00:00") + "Z"


def _value(value: Any) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool):
        return value
    # Of a subclass as the number that it is.
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return safe_repr(value)
    return _text(safe_str(value))


def _text(text: str) -> str:
    # JSON has escapes for lone surrogates, but most of its readers refuse them.
    return str(text).encode("utf-8", "backslashreplace").decode()


def _traceback(failure: Failure) -> str:
    try:
        text: str = failure.getTraceback()
    except Exception as e:
        return f"The traceback cannot be shown: {safe_str(e)}"
    return text
