"""
The addresses from which the gateway's users have registered.
"""

from __future__ import annotations

import json

from txwebqq.irc.gateway.storage.preferences import Preferences

MAX_ADDRESSES = 20
"""Number of addresses that are kept of a user: those that were used last."""

_NAME = "addresses"


class StoredAddresses:
    """
    Addresses in the database, so that wrong passwords from elsewhere keep no user
    out after a restart.
    """

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def has(self, user: str, network: str) -> bool:
        """
        Check that a user has registered from an address.
        """
        return network in self._of(user)

    def add(self, user: str, network: str) -> None:
        """
        Record that a user has registered from an address.
        """
        known = self._of(user)
        if known[-1:] == [network]:
            return
        kept = [*(each for each in known if each != network), network]
        self._preferences.set(user, _NAME, json.dumps(kept[-MAX_ADDRESSES:]))

    def _of(self, user: str) -> list[str]:
        found: list[str] = json.loads(self._preferences.get(user, _NAME, "[]"))
        return found
