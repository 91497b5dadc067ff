"""
The tokens of bots, OneBot programs and operators.
"""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from txwebqq.onebot.authorization import (
    GUESS_WINDOW,
    MAX_GUESSES,
    TOO_MANY,
    WRONG,
    Refusal,
    TokenAuthenticator,
)

TOKEN = "s3cret"


class Door:
    """
    An authenticator and a clock.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self._authenticator = TokenAuthenticator(self.clock.seconds)

    def give(self, token: str, address: str) -> Refusal | None:
        """
        Send a request with a token.
        """
        headers = {"authorization": f"Bearer {token}"}
        return self._authenticator.refusalOf(headers, "", TOKEN, address)

    def guess(self, address: str) -> list[Refusal | None]:
        """
        Try as many tokens as are allowed.
        """
        return [self.give(f"guess {n}", address) for n in range(MAX_GUESSES)]


@pytest.fixture
def door() -> Door:
    """
    The authenticator.
    """
    return Door()


@pytest.mark.parametrize(
    ("address", "neighbour"),
    [("203.0.113.5", "203.0.113.5"), ("2001:db8::1", "2001:db8::2"), ("", "")],
)
def test_guesses(door: Door, address: str, neighbour: str) -> None:
    """
    After too many wrong tokens no token is compared for the rest of the minute, of
    this address or IPv6 network.
    """
    assert door.guess(address) == [WRONG] * MAX_GUESSES
    assert door.give("another", neighbour) is TOO_MANY
    assert door.give(TOKEN, neighbour) is TOO_MANY
    door.clock.advance(GUESS_WINDOW)
    assert door.give(TOKEN, neighbour) is None


def test_ownerGetsIn(door: Door) -> None:
    """
    The right token is accepted from another address, and from the same one if it was
    given there before.
    """
    assert door.give(TOKEN, "127.0.0.1") is None
    door.guess("127.0.0.1")
    door.guess("203.0.113.5")
    assert door.give("another", "127.0.0.1") is TOO_MANY
    assert door.give(TOKEN, "127.0.0.1") is None
    assert door.give(TOKEN, "203.0.113.6") is None


def test_repeated(door: Door) -> None:
    """
    A program with a wrong token, which it repeats, does not keep others of its
    address out.
    """
    for _ in range(5 * MAX_GUESSES):
        assert door.give("wrong", "127.0.0.1") is WRONG
    assert door.give(TOKEN, "127.0.0.1") is None
