"""
The configured nick of the relay on one network: identification with NickServ,
and the recovery of the nick when another user has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.line import Line

FIRST_TRY, REGAIN = 2.0, 60.0
"""The seconds between two attempts to get the configured nick back, the first
time and at most."""

_NICKSERV = "NickServ"


class NickConnection(Protocol):
    """
    A registered connection, as far as nicks are concerned.
    """

    @property
    def support(self) -> Mapping[str, str]:
        """
        The tokens of C{RPL_ISUPPORT} (005).
        """

    def fold(self, name: str) -> str:
        """
        Casefold a nick.
        """

    def isMe(self, nick: str) -> bool:
        """
        Tell whether a nick is that of the connection.
        """

    def truncatedNick(self, nick: str) -> str:
        """
        Cut a nick as the server does.
        """


class NickRecovery:
    """
    Identifies with NickServ, and takes the configured nick when it is free.

    @param send: sends a line at the pace of the network.
    """

    def __init__(
        self,
        settings: NetworkSettings,
        clock: IReactorTime,
        send: Callable[[Line], None],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._send = send
        self._connection: NickConnection | None = None
        self._timer: IDelayedCall | None = None
        self._delay = FIRST_TRY
        self._isMonitored = False
        # Whether NickServ was asked to disconnect the user with the nick, and
        # has not answered.
        self._isGhostAsked = False

    def connected(self, connection: NickConnection) -> None:
        """
        Identify on a connection that was welcomed.
        """
        self._connection = connection
        self._delay = FIRST_TRY
        self._isMonitored = self._isGhostAsked = False
        if self._settings.nickserv:
            # NickServ knows the configured nick, which may be taken.
            other = "" if connection.isMe(self._settings.nick) else self._settings.nick
            self._tellNickServ("IDENTIFY", other)
        if not self._hasNick(connection):
            self._recover(connection)

    def disconnected(self) -> None:
        """
        Stop trying: the connection is lost, or to be closed.
        """
        self._connection = None
        self._cancel()

    def lineReceived(self, connection: NickConnection, line: Line) -> None:
        """
        Take the nick when a line tells that it is free.
        """
        if connection is not self._connection:
            return
        match line.command:
            case "NICK" if line.params and connection.isMe(line.params[0]):
                self._renamed(connection)
            case "NICK" | "QUIT":
                self._freed(connection, line.nick)
            # RPL_MONOFFLINE
            case "731" if line.params:
                for nick in line.params[-1].split(","):
                    self._freed(connection, nick)
            case "NOTICE" if self._isGhostAsked and self._isNickServ(connection, line):
                self._isGhostAsked = False
                self._freed(connection, self._settings.nick)

    def _isNickServ(self, connection: NickConnection, line: Line) -> bool:
        return connection.fold(line.nick) == connection.fold(_NICKSERV)

    def _tellNickServ(self, command: str, nick: str) -> None:
        words = [command, nick, self._settings.nickserv]
        text = " ".join(word for word in words if word)
        self._send(Line("PRIVMSG", (_NICKSERV, text)))

    def _hasNick(self, connection: NickConnection) -> bool:
        return connection.isMe(connection.truncatedNick(self._settings.nick))

    def _recover(self, connection: NickConnection) -> None:
        if "MONITOR" in connection.support and not self._isMonitored:
            self._isMonitored = True
            self._send(Line("MONITOR", ("+", self._settings.nick)))
        # NickServ may not exist, or may be slow.
        self._send(Line("NICK", (self._settings.nick,)))
        if self._settings.nickserv and self._delay in (FIRST_TRY, REGAIN):
            self._isGhostAsked = True
            self._tellNickServ("GHOST", self._settings.nick)
        self._later(self._delay)
        self._delay = min(self._delay * 2, REGAIN)

    def _later(self, seconds: float) -> None:
        self._cancel()
        self._timer = self._clock.callLater(seconds, self._retry)

    def _retry(self) -> None:
        connection = self._connection
        if connection is not None and not self._hasNick(connection):
            self._recover(connection)

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _freed(self, connection: NickConnection, nick: str) -> None:
        wanted = self._settings.nick
        isWanted = connection.fold(nick) == connection.fold(wanted)
        if isWanted and not self._hasNick(connection):
            self._send(Line("NICK", (wanted,)))

    def _renamed(self, connection: NickConnection) -> None:
        if not self._hasNick(connection):
            # Services rename a user who has not identified: do not fight them.
            self._later(REGAIN)
            return
        self._cancel()
        self._delay = FIRST_TRY
        if self._isMonitored:
            self._isMonitored = False
            self._send(Line("MONITOR", ("-", self._settings.nick)))
        if self._settings.nickserv:
            self._tellNickServ("IDENTIFY", "")
