"""
What everything that an IRC client and the gateway say to each other needs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from itertools import count
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from txwebqq.irc.gateway.connection import ClientConnection
from txwebqq.irc.gateway.directory import ChannelView
from txwebqq.irc.gateway.registration import AuthResult, Registration
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line, isMiddleParam
from txwebqq.irc.protocol.nicknames import isNick
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.targets import Target
from txwebqq.model import Status
from txwebqq.ratelimit import RateLimiter

Answer = Iterable[Line] | Awaitable[Iterable[Line]] | None
"""What a command is answered with, now or later; L{None} when a later command
is."""

_NO_TAGS: Mapping[str, str] = {}


class SessionHost(Protocol):
    """
    What a client has come to.
    """

    serverName: str
    motd: str
    clock: IReactorTime
    guesses: RateLimiter

    def clientConnected(self, session: ClientSession) -> None:
        """
        A client has come.
        """

    def clientDisconnected(self, session: ClientSession) -> None:
        """
        It has gone, and nothing of it is left.
        """

    def checkPassword(self, name: str, password: str) -> bool:
        """
        Whether that is somebody's password.
        """

    def user(self, name: str) -> GatewayUser:
        """
        Who that is.
        """


class ClientSession(ClientConnection):
    """
    One client, and how lines to it are made. What its commands do is in
    methods C{_irc_COMMAND} of subclasses, which return an L{Answer}.

    @ivar key: what it calls itself after a slash in its login.
    """

    _log = Logger()

    def __init__(self, gateway: SessionHost, address: str) -> None:
        super().__init__(gateway.clock, address)
        self._gateway = gateway
        self._registration = Registration(self._check, isNick)
        self._user: GatewayUser | None = None
        self._nick = ""
        self._channels: dict[str, ChannelView] = {}
        # What had been said when the client parted.
        self._parted: dict[Target, int] = {}
        self._references = count(1)
        self.key = ""

    @property
    def nick(self) -> str:
        """
        What the client calls itself.
        """
        return self._nick

    def _check(self, login: str, password: str) -> AuthResult:
        name, _, self.key = login.partition("/")
        guesses = self._gateway.guesses
        keys = (f"address {self.address}", f"user {casefold(name)}")
        if not all(guesses.hasCapacity(key) for key in keys):
            return AuthResult.LATER
        if self._gateway.checkPassword(name, password):
            guesses.reset(keys[0])
            return AuthResult.ACCEPTED
        for key in keys:
            guesses.take(key)
        self._log.info("A wrong password from {address}.", address=self.address)
        return AuthResult.REFUSED

    def _known(self) -> GatewayUser:
        assert self._user is not None
        return self._user

    def _has(self, *capabilities: str) -> bool:
        return self._registration.capabilities.issuperset(capabilities)

    def _reference(self) -> str:
        return f"b{next(self._references)}"

    def send(self, said: Iterable[Line]) -> None:
        """
        Send some lines.
        """
        for line in said:
            self.sendLine(line)

    def numeric(self, numeric: str, *params: str) -> Line:
        *middle, last = params
        # What a client has said need not be what can be repeated to it.
        words = [word if isMiddleParam(word) else "*" for word in middle]
        text = " ".join(splitLines(last))
        return Line(
            numeric, (self._nick or "*", *words, text), self._gateway.serverName
        )

    def standardReply(self, command: str, code: str, *params: str) -> Line:
        *middle, last = params
        words = [word[:50] if isMiddleParam(word) else "*" for word in middle]
        # Some reasons are a server's.
        last = " ".join(splitLines(last))
        if self._has("standard-replies"):
            said = (command, code, *words, last)
            return Line("FAIL", said, self._gateway.serverName)
        text = " ".join((command, *words, last))
        return Line("NOTICE", (self._nick, text), self._gateway.serverName)

    # ---- who says it

    @property
    def _mask(self) -> str:
        name = self._user.name if self._user is not None else "qq"
        return f"{self._nick}!{name}@{self._gateway.serverName}"

    def _maskOf(self, nick: str, number: int) -> str:
        return f"{nick}!{number or 'qq'}@{self._gateway.serverName}"

    def fromUser(
        self, command: str, *params: str, tags: Mapping[str, str] = _NO_TAGS
    ) -> Line:
        return Line(
            command, params, self._mask, {**self._account(self._known().name), **tags}
        )

    def fromContact(
        self,
        nick: str,
        number: int,
        command: str,
        *params: str,
        tags: Mapping[str, str] = _NO_TAGS,
    ) -> Line:
        account = self._account(str(number)) if number else _NO_TAGS
        return Line(command, params, self._maskOf(nick, number), {**account, **tags})

    def _account(self, name: str) -> Mapping[str, str]:
        return {"account": name} if self._has("account-tag") else _NO_TAGS


def awayOf(status: Status | None) -> str:
    """
    What IRC says of whoever appears so, C{""} for those who are there.
    """
    if status is None or status in (Status.ONLINE, Status.CALLME):
        return ""
    word: str = status.value
    return word
