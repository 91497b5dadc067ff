"""
The outcomes of sends.
"""

from __future__ import annotations

import sqlite3
from typing import assert_never

import pytest
from twisted.internet.defer import CancelledError

from txwebqq import errors
from txwebqq.model import (
    TOO_MANY_MESSAGES,
    Delivered,
    Failed,
    SendOutcome,
    Sent,
    Text,
    Uncertain,
    outcomeOf,
)
from txwebqq.server.domain.refusals import TOO_FAST, TOO_MANY_WAIT

LOST = errors.Unreachable("lost")
REST = ((Text("b"),),)


def word(outcome: SendOutcome) -> str:
    match outcome:
        case Delivered(sent):
            return f"delivered {sent.messageId}"
        case Failed():
            return "for now" if outcome.isTemporary else "failed"
        case Uncertain():
            return "uncertain"
        case _:
            assert_never(outcome)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (Sent(5), "delivered 5"),
        (errors.NotSent("x"), "for now"),
        (errors.NotSignedOn("x"), "for now"),
        (errors.SessionExpired("x", 121), "for now"),
        (errors.RequestRefused(TOO_MANY_MESSAGES, "x"), "for now"),
        (errors.RequestRefused(111, "x"), "failed"),
        (errors.MessageTooLong(123, "x"), "failed"),
        (TypeError("x"), "failed"),
        (ValueError("x"), "failed"),
        (LOST, "uncertain"),
        (errors.Unreachable("x", 502), "uncertain"),
        (errors.MalformedReply("x"), "uncertain"),
        (CancelledError(), "uncertain"),
        (KeyError("x"), "uncertain"),
        (sqlite3.OperationalError("x"), "uncertain"),
        (errors.PartlySent(1, 2, REST, LOST), "uncertain"),
        (errors.PartlySent(1, 2, REST, errors.NotSent("x")), "failed"),
    ],
)
def test_outcome(result: Sent | Exception, expected: str) -> None:
    """
    Each result and each failure has one outcome, which keeps it.
    """
    outcome = outcomeOf(result)
    assert word(outcome) == expected
    if not isinstance(outcome, Delivered):
        assert outcome.reason is result


def test_unknownErrors() -> None:
    """
    An error of which it is not known that nothing was sent is uncertain.
    """

    class New(errors.WebQQError):
        pass

    assert isinstance(outcomeOf(New("x")), Uncertain)


def test_server() -> None:
    """
    The server refuses with that code what it may accept later.
    """
    assert {TOO_FAST.retcode, TOO_MANY_WAIT.retcode} == {TOO_MANY_MESSAGES}
