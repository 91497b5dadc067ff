"""
Requests for settings: small values that the server keeps for an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred

from txwebqq.requests.requester import Requester
from txwebqq.wire.commands.settings import (
    PANEL,
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
    Settings,
)


def _nothing(settings: Settings) -> None:
    return None


class SettingsRequests(Requester):
    """
    Reads and changes the settings that the original page kept with the server,
    such as the size of its windows. They are divided by application number;
    values are any JSON.
    """

    def fetchSettings(
        self, names: Iterable[str] | None = None, app: int = PANEL
    ) -> Deferred[Settings]:
        """
        Fetch settings (protocol.md 2.8.3).

        @param names: the settings to fetch, L{None} for all.
        @param app: the number of the application.

        @return: fires with those of the settings that exist.
        """
        if names is None:
            return self.transport.call(GetAllSettings, app)
        return self.transport.call(GetSettings, tuple(names), app)

    def changeSettings(self, app: int = PANEL, /, **values: Any) -> Deferred[None]:
        """
        Set some settings (protocol.md 2.8.3); the others keep their values.

        @param app: the number of the application.
        """
        return self.transport.call(SetSettings, values, app).addCallback(_nothing)

    def changeManySettings(self, apps: dict[int, dict[str, Any]]) -> Deferred[None]:
        """
        Set settings of several applications, all of them or none.

        @param apps: the settings by application number.
        """
        return self.transport.call(SetManySettings, apps).addCallback(_nothing)
