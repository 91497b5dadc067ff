"""
Guesses at passwords.
"""

from __future__ import annotations

from twisted.internet.task import Clock

from txwebqq.irc.guesses import Guesses


def test_tooMany() -> None:
    """
    Who was wrong too often waits; others, and they themselves later, do not.
    """
    clock = Clock()
    guesses = Guesses(clock.seconds, most=2, window=60.0)
    guesses.failed("alice")
    assert guesses.allowed("alice")
    guesses.failed("alice")
    assert not guesses.allowed("alice")
    assert guesses.allowed("bob")
    clock.advance(60)
    assert guesses.allowed("alice")
    guesses.failed("alice")
    assert guesses.allowed("alice")


def test_right() -> None:
    """
    A right password makes up for the wrong ones.
    """
    guesses = Guesses(Clock().seconds, most=2)
    guesses.failed("alice")
    guesses.succeeded("alice")
    guesses.failed("alice")
    assert guesses.allowed("alice")


def test_bounded() -> None:
    """
    However many addresses guess, only so many are remembered.
    """
    guesses = Guesses(Clock().seconds, most=1, kept=2)
    for key in "abc":
        guesses.failed(key)
    assert [guesses.allowed(key) for key in "abc"] == [True, False, False]
