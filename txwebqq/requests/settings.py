"""
Requests for settings: small values that the server keeps for an account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock

from txwebqq.model import Number, Profile
from txwebqq.requests.requester import Requester
from txwebqq.wire.commands.friends import GetBlocked2
from txwebqq.wire.commands.settings import (
    BLOCKED,
    PANEL,
    PRIVACY,
    STRANGERS,
    GetAllSettings,
    GetSettings,
    SetManySettings,
    SetSettings,
    Settings,
    blockedIn,
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

    def fetchBlocked(self) -> Deferred[tuple[Number, ...]]:
        """
        Fetch the QQ numbers of the accounts that are blocked (protocol.md
        2.8.4).
        """
        return self.fetchSettings((BLOCKED,), PRIVACY).addCallback(
            lambda settings: blockedIn(settings.get(BLOCKED))
        )

    def fetchBlockedProfiles(self) -> Deferred[tuple[Profile, ...]]:
        """
        Fetch the accounts that are blocked, friends or not (protocol.md 2.8.4).

        @return: fires with profiles that have a number, a uin and a nick, C{""} for an
            account that never was a friend; fails with L{RequestRefused} at servers of
            others.
        """
        return self.transport.call(GetBlocked2)

    def block(self, number: Number) -> Deferred[None]:
        """
        Refuse messages, files and friend requests from an account, which is
        told so when it sends any (protocol.md 2.8.4).
        """
        return self._changeBlocked(number, isBlocked=True)

    def unblock(self, number: Number) -> Deferred[None]:
        """
        Accept messages from an account again.
        """
        return self._changeBlocked(number, isBlocked=False)

    def _changeBlocked(self, number: Number, isBlocked: bool) -> Deferred[None]:
        async def change() -> None:
            blocked = set(await self.fetchBlocked())
            changed = blocked | {number} if isBlocked else blocked - {number}
            if changed != blocked:
                await self.changeSettings(PRIVACY, **{BLOCKED: sorted(changed)})

        return self.transport.sendLocks.setdefault(("blocked", 0), DeferredLock()).run(
            lambda: Deferred.fromCoroutine(change())
        )

    def acceptStrangers(self, areAccepted: bool) -> Deferred[None]:
        """
        Accept temporary chats from accounts that are no friends, which is the
        default, or refuse them (protocol.md 2.8.4).
        """
        return self.changeSettings(PRIVACY, **{STRANGERS: areAccepted})

    def changeManySettings(self, apps: dict[int, dict[str, Any]]) -> Deferred[None]:
        """
        Set settings of several applications, all of them or none.

        @param apps: the settings by application number.
        """
        return self.transport.call(SetManySettings, apps).addCallback(_nothing)
