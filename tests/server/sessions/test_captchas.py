"""
Verify codes, captchas and failed logins, and their limits.
"""

from __future__ import annotations

from random import Random

from twisted.internet.task import Clock

from txwebqq.server.sessions.captchas import (
    MAX_SUSPECTS,
    Captchas,
    FailedLogins,
    VerifyCodes,
)


def test_codes() -> None:
    """
    A code is valid for one account, in upper and lower case, for some minutes.
    """
    clock = Clock()
    codes = VerifyCodes(clock.seconds, lambda: b"key")
    code = codes.issue(10001)
    assert codes.isGood(10001, code.lower())
    assert not codes.isGood(10002, code)
    assert not codes.isGood(10001, "")
    clock.advance(299)
    assert codes.isGood(10001, code)
    clock.advance(200)
    assert not codes.isGood(10001, code)


def test_suspectsAreBounded() -> None:
    """
    The number of accounts and addresses with failed logins in memory is
    limited.
    """
    suspects = FailedLogins(Clock().seconds)
    for n in range(MAX_SUSPECTS + 10):
        suspects.failed(n)
    assert len(suspects._failures) == MAX_SUSPECTS


def test_captchasAreBounded() -> None:
    """
    The number of captchas in memory is limited, and the oldest are dropped.
    """
    captchas = Captchas(Clock().seconds, Random(1))
    first, text = captchas.issue()
    for _ in range(10_000):
        last = captchas.issue()
    assert not captchas.answer(first, text)
    assert captchas.answer(*last)
