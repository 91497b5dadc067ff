"""
Casemappings.
"""

from __future__ import annotations

from txwebqq.irc.protocol.casemapping import casefold


def test_casefold() -> None:
    """
    Names are equal as their casemapping says, and non-ASCII characters have
    no case.
    """
    assert casefold("NICK[]\\~") == "nick{}|^"
    assert casefold("NICK[]~", "ascii") == "nick[]~"
    assert casefold("NICK[]~", "strict-rfc1459") == "nick{}~"
    assert casefold("小明É") == "小明É"
