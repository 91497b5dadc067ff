"""
The ways of accounts to QQ, and the services that keep them signed on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from twisted.internet.interfaces import IReactorTime

from txwebqq.client import Servers, connect
from txwebqq.config.endpointkeys import readEndpoint
from txwebqq.config.endpoints import isLocal
from txwebqq.config.toml import ConfigTable
from txwebqq.errors import InvalidConfiguration
from txwebqq.interfaces import FactoryOf, IAccountService
from txwebqq.model import Account, Number, Status
from txwebqq.net.tls import TrustRoots
from txwebqq.service import CAPTCHA_RETRY, WebQQService
from txwebqq.session.interfaces import Era
from txwebqq.sessionfile import SessionFile

_VISIBLE = re.compile("[!-~]+")

BURST, SECONDS = 3, 1.5
"""The default pace of what an account of today's QQ sends."""

REPEATED = ": the two sessions would end each other"
"""The reason why an account cannot be in a configuration file twice."""


@dataclass(frozen=True, slots=True)
class WebQQAccess:
    """
    A WebQQ server.

    @ivar server: its URL.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar era: the login variant of the server.
    @ivar heartbeat: the seconds between two heartbeats.
    @ivar sessionFile: keeps the session for the next process, L{None} to sign off when
        the service stops.
    @ivar isSessionKept: whether a daemon with a database keeps it without such a file.
    @ivar seenFile: the file that remembers the events that were delivered last.
    """

    server: str = "http://127.0.0.1:8890"
    caFile: str | None = None
    era: Era = Era.E1
    heartbeat: float = 60.0
    sessionFile: Path | None = None
    isSessionKept: bool = True
    seenFile: Path | None = None

    def check(self) -> None:
        """
        @raise InvalidConfiguration: when the server or the file cannot be used.
        """
        Servers.parse(self.server)
        TrustRoots(self.caFile)


@dataclass(frozen=True, slots=True)
class OneBotAccess:
    """
    A program that is signed on to today's QQ and speaks OneBot 11.

    @ivar url: the address at which it listens, C{ws://HOST:PORT/PATH} or C{wss://},
        C{""} when it connects to us.
    @ivar listen: the server endpoint at which we listen for it, C{""} when we connect.
    @ivar token: what one shows the other, C{""} for nothing.
    @ivar caFile: a file of certificate authorities besides the system's.
    @ivar burst: the number of messages that are sent at once.
    @ivar seconds: the time between two messages after that.
    """

    url: str = ""
    listen: str = ""
    token: str = field(default="", repr=False)
    caFile: str | None = None
    burst: int = BURST
    seconds: float = SECONDS

    def check(self) -> None:
        """
        @raise InvalidConfiguration: when the addresses or the file cannot be used.
        """
        if bool(self.url) == bool(self.listen):
            raise InvalidConfiguration(
                "give either the address of the OneBot program or the endpoint at"
                " which it connects"
            )
        if self.url:
            checkAddress(self.url)
        elif not self.token and not isLocal(self.listen):
            raise InvalidConfiguration(
                "others can reach the endpoint, and there is no token: the account"
                " would be theirs. Give one, or listen with interface=127.0.0.1"
            )
        if self.token != self.token.strip() or not self.token.isprintable():
            # It is the end of a line of the handshake.
            raise InvalidConfiguration(
                "the token begins or ends with a space, or has a control character"
            )
        TrustRoots(self.caFile)


Access = WebQQAccess | OneBotAccess


def checkAddress(url: str) -> None:
    """
    Check the address of a WebSocket.

    @raise InvalidConfiguration: when it is none, or has a secret in it.
    """
    try:
        parts = urlsplit(url)
        # A part of the name may be empty or too long.
        parts.netloc.encode("idna")
        isAddress = bool(parts.hostname) and parts.port != 0
        isAddress = isAddress and parts.scheme in ("ws", "wss")
        isAddress = isAddress and _VISIBLE.fullmatch(parts.netloc) is not None
    except ValueError:
        isAddress = False
    if not isAddress:
        # It may contain a token.
        raise InvalidConfiguration(
            "the address is not of the form ws://HOST:PORT/PATH or wss://HOST:PORT/PATH"
        )
    if parts.username or parts.password or parts.query:
        raise InvalidConfiguration(
            "the address has a user or a query; the token is in a file of its own"
        )


def readAccess(table: ConfigTable) -> tuple[Account, Access]:
    """
    Read the keys of an C{account} table that tell the account and how it reaches QQ.

    @raise InvalidConfiguration: when a key is invalid.
    """
    number = Number(table.number("number", 1, 2**32 - 1))
    kind = table.choice("kind", ["webqq", "onebot"], "webqq")
    status = table.choice("status", [known.value for known in Status], "online")
    caFile = table.path("ca-file")
    authorities = None if caFile is None else str(caFile)
    if kind == "webqq":
        password, access = _readWebQQ(table, authorities)
    else:
        password, access = "", _readOneBot(table, authorities)
    return Account(number, password, Status(status)), access


def _readWebQQ(table: ConfigTable, caFile: str | None) -> tuple[str, Access]:
    password = table.passwordFile("password-file")
    server = table.string("server", "http://127.0.0.1:8890")
    era = table.choice("era", [known.value for known in Era], "E1")
    file = table.writtenFile("session-file")
    isKept = table.boolean("keep-session", True)
    if file is not None and not isKept:
        table.refuse("session-file", "is there, and keep-session is false")
    access = WebQQAccess(
        server, caFile, Era(era), sessionFile=file, isSessionKept=isKept
    )
    if table.isSound("server", "ca-file"):
        try:
            access.check()
        except InvalidConfiguration as e:
            table.refuse("server", f"or ca-file cannot be used: {e}")
    return password, access


def _readOneBot(table: ConfigTable, caFile: str | None) -> Access:
    url, listen = table.string("url", ""), readEndpoint(table, "listen", "")
    if bool(url) == bool(listen):
        table.refuse("url", "or listen is needed, and not both")
    access = OneBotAccess(
        url,
        listen,
        table.passwordFile("token-file", ""),
        caFile,
        table.number("send-burst", 1, 100, BURST),
        table.number("send-milliseconds", 0, 600_000, int(SECONDS * 1000)) / 1000,
    )
    if table.isSound("url", "listen", "token-file", "ca-file"):
        try:
            access.check()
        except InvalidConfiguration as e:
            way = "listen" if listen else "url"
            table.refuse(way, f"or token-file or ca-file cannot be used: {e}")
    return access


def _keeperOf(
    account: Account, access: WebQQAccess, clock: IReactorTime
) -> SessionFile | None:
    path, server = access.sessionFile, f"{access.server} {access.era.value}"
    return None if path is None else SessionFile(path, account, server, clock.seconds)


class AccountMaker(Protocol):
    """
    A function that makes the service of an account, as L{makeAccount}.
    """

    def __call__(
        self, account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
    ) -> IAccountService: ...


def keepingBeside(make: AccountMaker, database: Path | None) -> AccountMaker:
    """
    Have the sessions of accounts be kept in a folder beside the database of a daemon,
    if it has one, unless the settings of an account name a file.

    @param make: makes the services of the accounts.
    """
    if database is None:
        return make
    folder = database.with_name(f"{database.name}.sessions")

    def makeKept(
        account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
    ) -> IAccountService:
        if isinstance(access, WebQQAccess) and access.isSessionKept:
            file = access.sessionFile
            if file is None:
                folder.mkdir(mode=0o700, exist_ok=True)
                file = folder / str(account.number)
            access = replace(access, sessionFile=file)
        return make(account, access, factory, reactor)

    return makeKept


def makeAccount(
    account: Account, access: Access, factory: FactoryOf[Any], reactor: Any
) -> IAccountService:
    """
    Make the service of an account.

    @raise InvalidConfiguration: when the access cannot be used.
    """
    if isinstance(access, WebQQAccess):
        return WebQQService(
            account,
            factory,
            connect(reactor, access.server, access.caFile),
            reactor,
            era=access.era,
            heartbeat=access.heartbeat,
            captchaRetry=CAPTCHA_RETRY,
            keeper=_keeperOf(account, access, reactor),
            seenFile=access.seenFile,
        )
    try:
        # It needs an extra.
        from txwebqq.onebot.connectors import Dialler, Listener
        from txwebqq.onebot.driver import Pace
        from txwebqq.onebot.service import OneBotService
    except ImportError as e:
        raise InvalidConfiguration(
            "accounts of today's QQ need the package wsproto: run pip install"
            " --editable '.[onebot]' in the checkout of txwebqq"
        ) from e
    access.check()
    number = account.number
    connector = (
        Dialler(reactor, number, access.url, access.token, access.caFile)
        if access.url
        else Listener(reactor, number, access.listen, access.token)
    )
    pace = Pace(access.burst, access.seconds)
    return OneBotService(account, factory, connector, reactor, pace=pace)
