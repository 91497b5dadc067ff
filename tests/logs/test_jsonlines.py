"""
Log events as lines of JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.rig import CapturedLog
from txwebqq.logs.jsonlines import OWN, jsonLine
from txwebqq.model import Number


class State(Enum):
    """
    A state.
    """

    ONLINE = "online"


class Unprintable:
    """
    An object that cannot be shown.
    """

    def __repr__(self) -> str:
        raise ZeroDivisionError("no text")


@pytest.fixture
def events() -> list[LogEvent]:
    """
    Collect the events of C{logger()}.
    """
    return []


def logger(events: list[LogEvent]) -> Logger:
    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        events.append(event)

    return Logger(namespace="txwebqq.test", observer=observe)


def lineOf(event: LogEvent) -> dict[str, Any]:
    """
    Return the object of the line of an event, after a look at the line.
    """
    text = jsonLine(event)
    assert text is not None
    assert text.endswith("\n")
    assert text.isascii()
    assert text[:-1].isprintable()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    line = json.loads(text, parse_constant=refuse)
    assert isinstance(line, dict)
    # Readers in other languages refuse lone surrogates.
    json.dumps(line, ensure_ascii=False).encode("utf-8")
    return line


def test_line(events: list[LogEvent]) -> None:
    """
    A line has the time in UTC, the level, the namespace, the message, and the fields
    of the message with their types.
    """
    logger(events).warn(
        "Account {account} is {state} after {delay} s: {isTried}, {reason}.",
        account=Number(10001),
        state=State.ONLINE,
        delay=1.5,
        isTried=True,
        reason=ValueError("no\nway"),
    )
    events[0]["log_time"] = 1_700_000_000.25
    assert lineOf(events[0]) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "warn",
        "namespace": "txwebqq.test",
        "message": "Account 10001 is State.ONLINE after 1.5 s: True, no\nway.",
        "account": 10001,
        "state": "online",
        "delay": 1.5,
        "isTried": True,
        "reason": "no\nway",
    }


def test_sameAsText(events: list[LogEvent]) -> None:
    """
    Fields that the text does not show are not shown either, nor is more of an object
    than the text shows of it.
    """
    secret = {"ticket": "s3cret", "name": "a"}
    logger(events).info(
        "Name: {ticket[name]} {count()}", ticket=secret, count=lambda: 3, other="s3cret"
    )
    assert "s3cret" not in json.dumps(line := lineOf(events[0]))
    assert line["message"] == "Name: a 3"
    assert set(line) == set(OWN[:4])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\x00\x1b[31m\u2028\r\n\x7f", "a\x00\x1b[31m\u2028\r\n\x7f"),
        ("\ud83c茶🍵", "\\ud83c茶🍵"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**30, 10**30),
        (b"\xff", "b'\\xff'"),
        (None, None),
        ({1: object}, "{1: <class 'object'>}"),
    ],
)
def test_values(events: list[LogEvent], value: object, shown: object) -> None:
    """
    All values make valid lines.
    """
    logger(events).info("It is {value}.", value=value)
    assert lineOf(events[0])["value"] == shown


def test_unprintable(events: list[LogEvent]) -> None:
    """
    An object that cannot be shown, and a format that is wrong, make a line.
    """
    logger(events).info("It is {value}.", value=Unprintable())
    logger(events).info("It is {value", value=1)
    logger(events).info("It is {value}.")
    lines = [lineOf(event) for event in events]
    assert "no text" in lines[0]["value"]
    assert all(line["message"] for line in lines)
    assert lineOf({"log_format": "x", "log_time": 1e99})["level"] == "error"


def test_own(events: list[LogEvent]) -> None:
    """
    Fields do not take the place of the parts of a line.
    """
    fields = {name: "mine" for name in OWN if name != "level"}
    logger(events).info("{time} {namespace} {message} {failure} {traceback}", **fields)
    line = lineOf(events[0])
    assert line["namespace"] == "txwebqq.test"
    for name in fields:
        assert line[f"{name}_"] == "mine"
    assert "failure" not in line


def test_failure(events: list[LogEvent]) -> None:
    """
    A failure is there with its type and its traceback, apart from the message.
    """
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        logger(events).failure("It failed (account {number}).", number=10001)
    line = lineOf(events[0])
    assert line["level"] == "critical"
    assert line["message"] == "It failed (account 10001)."
    assert line["number"] == 10001
    assert line["failure"] == "builtins.ZeroDivisionError"
    assert line["traceback"].rstrip().endswith("by nothing")


def test_legacy(flushLoggedErrors: Callable[..., list[Failure]]) -> None:
    """
    Events of the older interface, as parts of Twisted log them, have no fields.
    """
    with CapturedLog() as captured:
        log.msg("one\ntwo", system="sys", extra=object())
        log.err(Failure(KeyError("key")), "It failed")
        log.err(Failure(KeyError("key")))
    flushLoggedErrors()
    said, failed, unnamed = (lineOf(event) for event in captured.events)
    assert said["message"] == "one\ntwo"
    assert set(said) == set(OWN[:4])
    assert failed["message"] == "It failed"
    assert failed["failure"] == "builtins.KeyError"
    assert "Traceback" in failed["traceback"]
    assert unnamed["message"] == "Unhandled error"


def test_nothing() -> None:
    """
    An event without a text is not logged.
    """
    assert jsonLine({"log_level": LogLevel.info, "log_namespace": "a"}) is None
