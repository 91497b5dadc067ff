"""
The muted members of groups, as the gateway's database has them.
"""

from __future__ import annotations

import json

from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.targets import Target, TargetKind

_NAME = "mutes"


class StoredMutes:
    """
    The mutes that one user was told of, by group and member, with their ends in Unix
    seconds. They are few, and so one value.
    """

    def __init__(self, preferences: Preferences, user: str) -> None:
        self._preferences = preferences
        self._user = user

    def load(self) -> dict[tuple[Target, int], float]:
        """
        Return the mutes that were saved last.
        """
        saved = json.loads(self._preferences.get(self._user, _NAME, "[]"))
        return {
            (Target(TargetKind(kind), number), member): end
            for kind, number, member, end in saved
        }

    def save(self, ends: dict[tuple[Target, int], float]) -> None:
        """
        Save mutes in the place of those before; when the database cannot be written
        to, until the gateway stops.
        """
        rows = [
            (int(target.kind), target.number, member, end)
            for (target, member), end in ends.items()
        ]
        self._preferences.set(self._user, _NAME, json.dumps(rows))
