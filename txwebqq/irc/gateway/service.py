"""
The gateway service: an IRC server for QQ accounts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.accounts import AccountMaker, keepingBeside, makeAccount
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.connection import ClientConnection
from txwebqq.irc.gateway.dispatcher import ClientFactory
from txwebqq.irc.gateway.registration import Authenticator
from txwebqq.irc.gateway.sendqueue import OutputTurn
from txwebqq.irc.gateway.storage.addresses import StoredAddresses
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.names import NameStore
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import NickStyle, Romanise
from txwebqq.irc.protocol.pinyin import pinyinRomaniser
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import MediaLinks, mediaService
from txwebqq.net.endpoints import listeningService
from txwebqq.operation.captchas.options import NO_WAY
from txwebqq.sqlite.database import MEMORY, Database

CLEANUP_INTERVAL = 3600
"""Time between two deletions of expired messages and pictures, in seconds."""

ANNOUNCEMENT_INTERVAL = 600
"""Time between two requests for the announcements of all groups, in seconds."""

CLEANUP_PAUSE = 0.1
"""Time between two parts of one deletion, in seconds."""

MUTE_INTERVAL = 5.0
"""Time between two looks for mutes that have ended, in seconds."""

STORE_INTERVAL = 5.0
"""Time between two attempts to store messages while the database cannot be
written to, in seconds."""


class GatewayService(MultiService):
    """
    Listens for IRC clients, and keeps the QQ accounts of the gateway's users
    signed on.

    @param make: makes the services of the accounts.
    @param captchaAdvice: the sentence that tells where captchas are answered when
        pictures are not shown.

    @ivar users: the users, by name.
    """

    _log = Logger()

    def __init__(
        self,
        settings: GatewaySettings,
        reactor: Any,
        make: AccountMaker = makeAccount,
        captchaAdvice: str = NO_WAY,
    ) -> None:
        self._captchaAdvice = captchaAdvice
        super().__init__()  # type: ignore[no-untyped-call]
        self.users: dict[str, GatewayUser] = {}
        self._clock: IReactorTime = reactor
        self._isInMemory = settings.database is None
        self._database = Database(settings.database or MEMORY, GATEWAY_SCHEMA)
        self._history = HistoryStore(
            self._database,
            settings.historyMessages,
            settings.historyDays,
            reactor.callLater,
        )
        self._preferences = Preferences(self._database)
        self._links: MediaLinks | None = None
        if settings.pictures is not None:
            self._links, pictureServer = mediaService(
                settings.pictures, self._database, reactor
            )
            pictureServer.setServiceParent(self)
        make = keepingBeside(make, settings.database)
        self._addUsers(settings.users, reactor, make)
        self._passwords = {each.name: each.password for each in settings.users}
        self._factory = ClientFactory(
            self._clock,
            settings.name,
            settings.motd,
            self.users,
            Authenticator(
                self._passwords, reactor.seconds, StoredAddresses(self._preferences)
            ),
            OutputTurn(reactor, self._history.commit),
        )
        for endpoint in settings.listen:
            listening = listeningService(endpoint, self._factory, reactor)
            listening.setServiceParent(self)
        self._cleanup: IDelayedCall | None = None
        for interval, action in (
            (CLEANUP_INTERVAL, self._startCleanup),
            (STORE_INTERVAL, self._storeAgain),
            (MUTE_INTERVAL, self._endMutes),
            (ANNOUNCEMENT_INTERVAL, self._refreshAnnouncements),
        ):
            timer = TimerService(interval, action)
            timer.clock = reactor
            timer.setServiceParent(self)

    def reload(self, settings: GatewaySettings) -> dict[str, bool]:
        """
        Change the passwords of the users that there are, and the message of the day.

        @return: as C{apply} of L{ConfigReloader<txwebqq.config.reload.ConfigReloader>}.
        """
        applied = {"gateway.motd": False}
        self._factory.motd = settings.motd
        passwords = dict(self._passwords)
        for user in settings.users:
            if user.name not in passwords:
                continue
            isNew = passwords[user.name] != user.password
            passwords[user.name] = user.password
            isFile = isinstance(user.password, str)
            applied[f"gateway.user {user.name}.password-file"] = isNew and isFile
            applied[f"gateway.user {user.name}.password-hash"] = False
        if passwords != self._passwords:
            self._passwords = passwords
            self._factory.authenticator.setPasswords(passwords)
        return applied

    def _refreshAnnouncements(self) -> Deferred[list[None]]:
        # Their failures are logged, and the next turn tries again.
        return gatherResults(
            [
                Deferred.fromCoroutine(account.refreshAnnouncements())
                for user in self.users.values()
                for account in user.accounts.values()
            ]
        )

    @property
    def clients(self) -> Collection[ClientConnection]:
        """
        The IRC clients that are connected.
        """
        return self._factory.connections

    def _addUsers(
        self, users: Sequence[UserSettings], reactor: Any, make: AccountMaker
    ) -> None:
        names = NameStore(self._database, partial(casefold, mapping="rfc1459"))
        preferences = self._preferences
        parted = PartedChannels(self._database)
        for settings in users:
            user = self.users[settings.name] = GatewayUser(
                settings,
                names.tableFor(settings.name, settings.style.value),
                self._history,
                reactor.seconds,
                preferences,
                parted,
                _romaniser(settings),
                self._links,
                self._captchaAdvice,
            )
            if self._links is not None:
                self._links.files.accounts.update(user.accounts)
            for account in settings.accounts:
                number = account.account.number
                service = make(
                    account.account,
                    account.access,
                    AccountFactory(user.accounts[number]),
                    reactor,
                )
                user.services[number] = service
                service.setServiceParent(self)  # type: ignore[no-untyped-call]

    def _endMutes(self) -> None:
        for user in self.users.values():
            user.interactions.endMutes()

    def _storeAgain(self) -> None:
        for user in self.users.values():
            user.conversations.storeAgain()

    def _startCleanup(self) -> None:
        try:
            if self._links is not None:
                self._links.expire()
            if self._cleanup is None:
                self._expireMessages()
        except sqlite3.Error as e:
            self._log.error(
                "Deleting expired messages and pictures failed: {reason}; trying"
                " again in an hour.",
                reason=str(e),
            )

    def _cbCleanup(self) -> None:
        self._cleanup = None
        self._startCleanup()

    def _expireMessages(self) -> None:
        if self._history.expire(int(self._clock.seconds() * 1000)):
            # Let the reactor serve clients before the next part.
            self._cleanup = self._clock.callLater(CLEANUP_PAUSE, self._cbCleanup)

    def startService(self) -> None:
        """
        Listen for clients, and sign the accounts on.
        """
        if self._isInMemory:
            self._log.warn(
                "No database is configured: names and history will be lost when the"
                " gateway stops."
            )
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Deferred[None]:
        """
        Disconnect the clients, and sign the accounts off.

        @return: fires when nothing is in flight.
        """
        if self._cleanup is not None:
            self._cleanup.cancel()
            self._cleanup = None
        with self._history.atOnce():
            stopped = maybeDeferred(super().stopService)
        disconnected = self._factory.closeConnections("The gateway is stopping")

        async def stop() -> None:
            await stopped
            await disconnected
            self._storeAgain()
            self._history.stop()
            self._database.close()

        return Deferred.fromCoroutine(stop())


def _romaniser(settings: UserSettings) -> Romanise | None:
    if settings.style is not NickStyle.PINYIN:
        return None
    romanise = pinyinRomaniser()
    if romanise is None:
        raise InvalidConfiguration(
            f"{settings.name}: nicks in pinyin need the package pypinyin: "
            "run pip install '.[irc]' in the checkout of txwebqq"
        )
    return romanise
