"""
How often somebody may do something.
"""

from __future__ import annotations

from twisted.internet.task import Clock

from txwebqq import ratelimit
from txwebqq.ratelimit import Allowance


def test_window() -> None:
    """
    What was used up is there again when the while is over, and only then;
    others have their own.
    """
    clock = Clock()
    allowance = Allowance(clock.seconds, 2, 60.0)
    assert [allowance.spend("a") for _ in range(3)] == [True, True, False]
    assert not allowance.isLeft("a")
    assert allowance.spend("b")
    clock.advance(59)
    assert not allowance.spend("a")
    clock.advance(1)
    assert allowance.isLeft("a")
    assert [allowance.spend("a") for _ in range(3)] == [True, True, False]


def test_forgiven() -> None:
    """
    What is forgiven does not count.
    """
    allowance = Allowance(Clock().seconds, 1, 60.0)
    allowance.spend("a")
    allowance.forgive("a")
    allowance.forgive("b")
    assert allowance.isLeft("a")


def test_bounded() -> None:
    """
    However many come, only so many are remembered.
    """
    allowance = Allowance(Clock().seconds, 1, 60.0)
    for who in range(ratelimit.MAX_REMEMBERED + 1):
        assert allowance.spend(who)
    assert not allowance.isLeft(1)
    assert allowance.isLeft(0)
