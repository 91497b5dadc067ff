"""
Our connection to somebody's IRC server.
"""

from __future__ import annotations

from typing import Any
from typing import Protocol as Interface

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.casemapping import CASEMAPPINGS, casefold
from txwebqq.irc.protocol.line import (
    MAX_LINE,
    Line,
    LineBuffer,
    MalformedLine,
    Overlong,
    encodedLength,
    isMiddleParam,
    parse,
    serialise,
)
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.registration import ClientRegistration

LONGEST = 8192
"""The bytes of a line that a server may send us: some exceed 512."""

QUIET = 60.0
"""The seconds of silence until the server is asked whether it is there, and
then until it is not."""

PATIENCE = 60.0
"""The seconds to be welcomed in."""

LEAVING = 5.0
"""The seconds that a server has to close a connection that we leave."""

_MAX_HOST = 63
_NEEDED = {
    "353": 4,
    "366": 2,
    "396": 2,
    "470": 3,
    "BATCH": 1,
    "JOIN": 1,
    "KICK": 2,
    "NICK": 1,
    "PART": 1,
    "PRIVMSG": 2,
}
"""The parameters without which a line means nothing."""


class ConnectionListener(Interface):
    """
    Whom a connection tells what happens.
    """

    def welcomed(self, connection: IRCConnection) -> None:
        """
        We are in.
        """

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        """
        The server says something that has not to do with the connection alone.
        """

    def left(self, connection: IRCConnection) -> None:
        """
        The connection is gone.
        """


class IRCConnection(Protocol):
    """
    One connection, welcomed or not.

    @ivar nick: what we are called there.
    @ivar capabilities: what was granted, with the values.
    @ivar support: what the server told of itself in 005.
    """

    _log = Logger()

    def __init__(
        self,
        settings: NetworkSettings,
        listener: ConnectionListener,
        clock: IReactorTime,
        nick: str,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._clock = clock
        self._lineBuffer = LineBuffer(LONGEST)
        self._registration = ClientRegistration(settings, nick)
        self._timer: IDelayedCall | None = None
        self._asked = False
        self._isOpen = False
        self._isLeaving = False
        self._wire: Any = None
        self._serial = 0
        self._said: dict[str, tuple[str, str, Deferred[None]]] = {}
        self._user = f"~{settings.user}"[:12]
        self._host = "x" * _MAX_HOST
        self._mapping = "rfc1459"
        self._welcome: Deferred[None] | None = None
        self._lastWords = ""
        self.support: dict[str, str] = {}

    @property
    def nick(self) -> str:
        """
        What we are called there.
        """
        return self._registration.nick

    @property
    def capabilities(self) -> dict[str, str]:
        """
        What was granted, with the values.
        """
        return self._registration.capabilities

    def fold(self, name: str) -> str:
        """
        What names have in common that this network takes for one.
        """
        return casefold(name, self._mapping)

    def isMe(self, nick: str) -> bool:
        """
        Whether that is our nick.
        """
        return self.fold(nick) == self.fold(self.nick)

    def whenWelcomed(self) -> Deferred[None]:
        """
        Wait until we are in; fails with L{TargetUnavailable} when we will not be. To be
        asked once, when the connection is made; cancelling it closes that.
        """

        def close(welcome: Deferred[None]) -> None:
            self._welcome = None
            self._wire.abortConnection()

        self._welcome = Deferred(close)
        return self._welcome

    def payloadLimit(self, line: Line, nick: str = "") -> int:
        """
        How many bytes the last parameter of a line of ours may have, so that
        nobody gets more than 512 with what the server puts before it.
        """
        source = f"{nick or self.nick}!{self._user}@{self._host}"
        head = Line(line.command, (*line.params[:-1], " :"), source)
        return MAX_LINE - encodedLength(head, self._settings.encoding)

    # ---- the connection

    def connectionMade(self) -> None:
        self._wire = self.transport
        self._isOpen = True
        self._timer = self._clock.callLater(PATIENCE, self._late)
        for line in self._registration.opening():
            self.send(line)

    def _late(self) -> None:
        self._lastWords = self._lastWords or "it did not welcome us"
        self._wire.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._isOpen = False
        self._rest()
        why = (self._lastWords or reason.getErrorMessage()).rstrip(".")
        said, self._said = self._said, {}
        welcome, self._welcome = self._welcome, None
        if welcome is not None:
            welcome.errback(TargetUnavailable(why))
        self._log.info(
            "{network}: the connection is gone: {why}.",
            network=self._settings.name,
            why=why,
        )
        for _, _, waiting in said.values():
            waiting.errback(TargetUnavailable(why))
        self._listener.left(self)

    def _rest(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _hear(self) -> None:
        if self._isLeaving:
            return
        self._asked = False
        self._rest()
        self._timer = self._clock.callLater(QUIET, self._quiet)

    def _quiet(self) -> None:
        if self._asked:
            self._lastWords = "it does not answer"
            self._wire.abortConnection()
            return
        self._asked = True
        self.send(Line("PING", ("txwebqq",)))
        self._timer = self._clock.callLater(QUIET, self._quiet)

    def dataReceived(self, data: bytes) -> None:
        if self._registration.isDone:
            self._hear()
        for raw in self._lineBuffer.feed(data):
            if isinstance(raw, Overlong):
                continue
            try:
                line = parse(raw)
            except MalformedLine as e:
                self._log.debug("Not understood: {problem}.", problem=str(e))
                continue
            isKnown = len(line.params) >= _NEEDED.get(line.command, 0)
            if isKnown and self._isOpen and not self._registration.failure:
                self._heard(line)

    # ---- what the server says

    def _heard(self, line: Line) -> None:
        if line.command == "PING":
            self.send(Line("PONG", line.params[-1:]))
            return
        if line.command == "ERROR":
            self._lastWords = " ".join(line.params)[:200]
            return
        wasDone = self._registration.isDone
        for answer in self._registration.heard(line):
            self.send(answer)
        if self._registration.failure:
            self._fail(self._registration.failure)
            return
        handle = getattr(self, f"_heard_{line.command}", None)
        if handle is not None:
            handle(line)
        elif line.command.isdigit() and line.command[0] in "45":
            self._heardError(line)
        if not wasDone and self._registration.isDone:
            self._hear()
            welcome, self._welcome = self._welcome, None
            self._listener.welcomed(self)
            if welcome is not None:
                welcome.callback(None)
        if self._registration.isDone:
            self._listener.lineReceived(self, line)

    def _fail(self, reason: str) -> None:
        self._log.error(
            "{network} does not let us in: {reason}.",
            network=self._settings.name,
            reason=reason,
        )
        self._lastWords = reason
        self._close()

    def _close(self) -> None:
        # Whoever reads nothing would keep us for ever.
        self._isLeaving = True
        self._rest()
        self._timer = self._clock.callLater(LEAVING, self._wire.abortConnection)
        self._wire.loseConnection()

    def _heard_005(self, line: Line) -> None:
        for word in line.params[1:-1]:
            name, _, value = word.partition("=")
            self.support[name] = value
        mapping = self.support.get("CASEMAPPING", "rfc1459")
        self._mapping = mapping if mapping in CASEMAPPINGS else "ascii"

    def _heard_NICK(self, line: Line) -> None:
        if self.isMe(line.nick) and isMiddleParam(line.params[0]):
            self._registration.nick = line.params[0]

    def _heard_JOIN(self, line: Line) -> None:
        _, _, rest = line.source.partition("!")
        user, _, host = rest.partition("@")
        if self.isMe(line.nick) and host:
            self._user, self._host = user, host

    def _heard_396(self, line: Line) -> None:
        # What others see of our address, from now on.
        user, _, host = line.params[1].rpartition("@")
        if isMiddleParam(host):
            self._host = host
        if isMiddleParam(user):
            self._user = user

    def _heard_PONG(self, line: Line) -> None:
        token = line.params[-1] if line.params else ""
        _, _, heard = self._said.pop(token, ("", "", None))
        if heard is not None:
            heard.callback(None)

    def _heard_FAIL(self, line: Line) -> None:
        if line.params[:1] == ("RELAYMSG",):
            self._refuse("", "RELAYMSG", " ".join(line.params[1:]))

    def _heardError(self, line: Line) -> None:
        if len(line.params) > 2:
            self._refuse(self.fold(line.params[1]), "", line.params[-1])

    def _refuse(self, channel: str, command: str, reason: str) -> None:
        for token, (where, how, waiting) in list(self._said.items()):
            if channel in ("", where) and command in ("", how):
                del self._said[token]
                waiting.errback(DeliveryRefused(reason))
                return

    # ---- what we say

    def send(self, line: Line) -> None:
        """
        Say something and do not care.
        """
        if self._isOpen:
            self._wire.write(serialise(line, self._settings.encoding))

    def say(self, channel: str, line: Line) -> Deferred[None]:
        """
        Say something in a channel.

        @return: fires when the server has dealt with it; fails with
            L{DeliveryRefused}, or with L{TargetUnavailable} when that will not be
            known.
        """
        if not self._isOpen:
            return fail(TargetUnavailable("there is no connection"))
        self._serial += 1
        token = f"txwebqq{self._serial}"
        heard: Deferred[None] = Deferred(lambda _: self._forget(token))
        self._said[token] = self.fold(channel), line.command, heard
        self.send(line)
        self.send(Line("PING", (token,)))
        return heard

    def _forget(self, token: str) -> None:
        self._said.pop(token, None)

    def leave(self, reason: str) -> None:
        """
        Go; C{left} of the owner is called when we are gone.
        """
        if self._isOpen:
            self.send(Line("QUIT", (reason,)))
            self._close()
