"""
Settings: small values that the server keeps for an account.
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
    What the page kept with the server, by the number of the application that
    it belongs to: the size of its windows, for example. Values are any JSON.
    """

    def fetchSettings(
        self, names: Iterable[str] | None = None, app: int = PANEL
    ) -> Deferred[Settings]:
        """
        Ask for settings (protocol.md 2.8.3).

        @param names: which; all, if unsaid.

        @return: fires with those that are there.
        """
        if names is None:
            return self.transport.call(lambda ticket: GetAllSettings(ticket, app))
        wanted = tuple(names)
        return self.transport.call(lambda ticket: GetSettings(ticket, wanted, app))

    def changeSettings(self, app: int = PANEL, /, **values: Any) -> Deferred[None]:
        """
        Set some settings (protocol.md 2.8.3); others stay as they are.
        """
        return self.transport.call(
            lambda ticket: SetSettings(ticket, values, app)
        ).addCallback(_nothing)

    def changeManySettings(self, apps: dict[int, dict[str, Any]]) -> Deferred[None]:
        """
        Set settings of several applications, by their numbers: all or none.
        """
        return self.transport.call(
            lambda ticket: SetManySettings(ticket, apps)
        ).addCallback(_nothing)
