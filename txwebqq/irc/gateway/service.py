"""
The gateway: QQ for IRC clients.
"""

from __future__ import annotations

from functools import partial
from hmac import compare_digest
from typing import Any

from twisted.application.internet import TimerService
from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from txwebqq.client import WebQQClient, connect
from txwebqq.errors import InvalidConfiguration
from txwebqq.irc.config.gateway import GatewaySettings, UserSettings
from txwebqq.irc.gateway.dispatcher import GUESSES, GUESSING, CommandDispatcher
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.gateway.storage.history import HistoryStore
from txwebqq.irc.gateway.storage.names import NameStore
from txwebqq.irc.gateway.storage.partedchannels import PartedChannels
from txwebqq.irc.gateway.storage.preferences import Preferences
from txwebqq.irc.gateway.storage.schema import GATEWAY_SCHEMA
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.nicknames import NickStyle, Romanise
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import MediaLinks, mediaService
from txwebqq.net.endpoints import listeningService
from txwebqq.ratelimit import RateLimiter
from txwebqq.service import WebQQService
from txwebqq.sqlite.database import MEMORY, Database

HOUR = 3600

PAUSE = 0.1
"""The seconds between two parts of what has to be forgotten."""


class GatewayService(MultiService):
    """
    Listens for IRC clients, and keeps the accounts of its users signed on,
    whether any client is there or not.

    @ivar serverName: what the IRC server calls itself.
    """

    _log = Logger()

    def __init__(self, settings: GatewaySettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.serverName = settings.name
        self.motd = settings.motd
        self.clock: IReactorTime = reactor
        self.guesses = RateLimiter(reactor.seconds, GUESSES, GUESSING)
        self._settings = settings
        self._database = Database(settings.database or MEMORY, GATEWAY_SCHEMA)
        self._users: dict[str, GatewayUser] = {}
        self._clients: list[WebQQClient] = []
        self._sessions: set[ClientSession] = set()
        self._empty: Deferred[None] | None = None
        self._tidying: IDelayedCall | None = None
        names = NameStore(self._database, partial(casefold, mapping="rfc1459"))
        self._history = HistoryStore(
            self._database, settings.historyMessages, settings.historyDays
        )
        self._links: MediaLinks | None = None
        if settings.pictures is not None:
            self._links, shown = mediaService(
                settings.pictures, self._database, reactor
            )
            shown.setServiceParent(self)
        preferences = Preferences(self._database)
        parted = PartedChannels(self._database)
        for each in settings.users:
            book = names.tableFor(each.name, each.style.value)
            user = GatewayUser(
                each,
                book,
                self._history,
                reactor.seconds,
                preferences,
                parted,
                _romaniser(each),
                self._links,
            )
            self._users[each.name] = user
            for account in each.accounts:
                client = connect(reactor, account.server, account.caFile)
                self._clients.append(client)
                number = account.account.number
                service = WebQQService(
                    account.account,
                    AccountFactory(user.accounts[number]),
                    client,
                    reactor,
                    era=account.era,
                )
                user.services[number] = service
                service.setServiceParent(self)  # type: ignore[no-untyped-call]
        for endpoint in settings.listen:
            listeningService(endpoint, _ClientFactory(self), reactor).setServiceParent(
                self
            )
        tidying = TimerService(HOUR, self._tidy)
        tidying.clock = reactor
        tidying.setServiceParent(self)

    def _tidy(self) -> None:
        if self._links is not None:
            self._links.expire()
        if self._tidying is None:
            self._forget()

    def _forget(self) -> None:
        self._tidying = None
        if self._history.expire(int(self.clock.seconds() * 1000)):
            # Others have their turn in between.
            self._tidying = self.clock.callLater(PAUSE, self._forget)

    def startService(self) -> None:
        """
        Listen, and sign on.
        """
        if self._settings.database is None:
            self._log.warn("Names and history are in memory alone: give a database.")
        super().startService()  # type: ignore[no-untyped-call]

    def stopService(self) -> Deferred[None]:
        """
        Say goodbye to the clients, and sign off.

        @return: fires when nothing is in flight.
        """
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        stopped = maybeDeferred(super().stopService)
        for session in list(self._sessions):
            session.leave("The gateway is stopping")

        async def stop() -> None:
            await stopped
            if self._sessions:
                self._empty = Deferred()
                await self._empty
            await gatherResults([client.close() for client in self._clients])
            self._database.close()

        return Deferred.fromCoroutine(stop())

    def checkPassword(self, name: str, password: str) -> bool:
        """
        Whether that is somebody's password.
        """
        user = self._users.get(name)
        expected = user.settings.password if user is not None else ""
        isRight = compare_digest(expected.encode(), password.encode("utf-8", "replace"))
        return user is not None and isRight

    def user(self, name: str) -> GatewayUser:
        """
        Who that is.
        """
        return self._users[name]

    def clientConnected(self, session: ClientSession) -> None:
        """
        A client has come.
        """
        self._sessions.add(session)

    def clientDisconnected(self, session: ClientSession) -> None:
        """
        It has gone.
        """
        self._sessions.discard(session)
        if not self._sessions and self._empty is not None:
            empty, self._empty = self._empty, None
            empty.callback(None)


def _romaniser(settings: UserSettings) -> Romanise | None:
    if settings.style is not NickStyle.PINYIN:
        return None
    try:
        from pypinyin import lazy_pinyin
    except ImportError as e:
        raise InvalidConfiguration(
            f"{settings.name}: nicks in pinyin need pypinyin: pip install txwebqq[irc]"
        ) from e
    return lambda name: "".join(word.capitalize() for word in lazy_pinyin(name))


class _ClientFactory(Factory):
    """
    Builds what talks to a client.
    """

    noisy = False

    def __init__(self, gateway: GatewayService) -> None:
        self._gateway = gateway

    def buildProtocol(self, addr: IAddress | None) -> CommandDispatcher:
        return CommandDispatcher(self._gateway, getattr(addr, "host", ""))
