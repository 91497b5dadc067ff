"""
The outcomes of sends.
"""

from __future__ import annotations

import sqlite3
from typing import assert_never

import pytest
from twisted.internet.defer import CancelledError

from txwebqq import errors
from txwebqq.errors import (
    MalformedReply,
    MessageTooLong,
    NotSent,
    NotSignedOn,
    PartlySent,
    RequestRefused,
    SessionExpired,
    Unreachable,
)
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

LOST = Unreachable("lost")
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
        (NotSent("x"), "for now"),
        (NotSignedOn("x"), "for now"),
        (SessionExpired("x", 121), "for now"),
        (RequestRefused(TOO_MANY_MESSAGES, "x"), "for now"),
        (RequestRefused(111, "x"), "failed"),
        (MessageTooLong(123, "x"), "failed"),
        (TypeError("x"), "failed"),
        (ValueError("x"), "failed"),
        (LOST, "uncertain"),
        (Unreachable("x", 502), "uncertain"),
        (MalformedReply("x"), "uncertain"),
        (CancelledError(), "uncertain"),
        (KeyError("x"), "uncertain"),
        (sqlite3.OperationalError("x"), "uncertain"),
        (PartlySent(1, 2, REST, LOST), "uncertain"),
        (PartlySent(1, 2, REST, NotSent("x")), "failed"),
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
