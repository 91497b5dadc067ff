"""
Limits on the number of calls in a time.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from txwebqq import ratelimit
from txwebqq.ratelimit import RateLimiter, networkOf


def test_window() -> None:
    """
    A used capacity is there again when the window is over, and not before;
    other keys have their own.
    """
    clock = Clock()
    limiter = RateLimiter(clock.seconds, 2, 60.0)
    assert [limiter.take("a") for _ in range(3)] == [True, True, False]
    assert not limiter.hasCapacity("a")
    assert limiter.take("b")
    clock.advance(59)
    assert not limiter.take("a")
    clock.advance(1)
    assert limiter.hasCapacity("a")
    assert [limiter.take("a") for _ in range(3)] == [True, True, False]


def test_forgiven() -> None:
    """
    Calls before a reset do not count.
    """
    limiter = RateLimiter(Clock().seconds, 1, 60.0)
    limiter.take("a")
    limiter.reset("a")
    limiter.reset("b")
    assert limiter.hasCapacity("a")


def test_bounded() -> None:
    """
    The number of keys that are remembered is limited.
    """
    limiter = RateLimiter(Clock().seconds, 1, 60.0)
    for who in range(ratelimit.MAX_REMEMBERED + 1):
        assert limiter.take(who)
    assert not limiter.hasCapacity(1)
    assert limiter.hasCapacity(0)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::/64"),
        ("2001:db8:0:1::9", "2001:db8:0:1::/64"),
        ("2001:db8:0:2::9", "2001:db8:0:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::1", "::/64"),
        ("", ""),
    ],
)
def test_network(address: str, expected: str) -> None:
    """
    All addresses of an IPv6 /64 are counted as one.
    """
    assert networkOf(address) == expected
