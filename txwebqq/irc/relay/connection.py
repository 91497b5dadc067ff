"""
A connection of the relay, or of a puppet, to an IRC server: registration,
keepalive, and messages that are confirmed by the C{PONG} to a C{PING}.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.casemapping import CASEMAPPINGS, casefold
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength, isMiddleParam
from txwebqq.irc.protocol.lineconnection import LineConnection
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.registration import ClientRegistration

MAX_RECEIVED = 8192
"""Maximum length of a line from a server, in bytes; some send more than 512."""

PING_INTERVAL = 60.0
"""The seconds without data from the server until it is sent a C{PING}, and
from then until the connection is aborted."""

_MAX_HOST = 63
"""Maximum length of the host in a prefix, in characters; assumed until the
server has shown ours."""

_MIN_PARAMS = {
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
"""The least number of parameters of commands; shorter lines are ignored."""


class ConnectionListener:
    """
    The events of an L{IRCConnection}; a subclass overrides what it needs.
    """

    def welcomed(self, connection: IRCConnection) -> None:
        """
        The registration is complete.
        """

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        """
        A line has come, at or after the welcome.
        """

    def disconnected(self, connection: IRCConnection) -> None:
        """
        The connection is lost, welcomed or not.
        """


class IRCConnection(LineConnection):
    """
    One connection.

    @ivar support: the tokens of the server's C{RPL_ISUPPORT} (005).
    @ivar isRelaymsgRefused: whether the server has refused C{RELAYMSG}.
    """

    _log = Logger()
    pingInterval = PING_INTERVAL
    # The server may confirm messages until it has read our QUIT.
    readsUntilLost = True

    def __init__(
        self,
        settings: NetworkSettings,
        listener: ConnectionListener,
        clock: IReactorTime,
        nick: str,
    ) -> None:
        super().__init__(clock, "txwebqq", settings.encoding, MAX_RECEIVED)
        self._settings = settings
        self._listener = listener
        self._registration = ClientRegistration(settings, nick)
        # The lines that wait for a PONG, by its token: channel, command, and
        # the Deferred of L{sendConfirmed}.
        self._unconfirmed: dict[str, tuple[str, str, Deferred[None]]] = {}
        self._serial = 0
        self._user = f"~{settings.user}"[:12]
        self._host = "x" * _MAX_HOST
        self._mapping = "rfc1459"
        self._welcome: Deferred[None] | None = None
        self._lossReason = ""
        self.support: dict[str, str] = {}
        self.isRelaymsgRefused = False

    @property
    def nick(self) -> str:
        """
        The present nick on this connection.
        """
        return self._registration.nick

    @property
    def capabilities(self) -> dict[str, str]:
        """
        The capabilities that the server has acknowledged, with their values.
        """
        return self._registration.capabilities

    def fold(self, name: str) -> str:
        """
        Casefold a nick or channel name by the server's C{CASEMAPPING}.
        """
        return casefold(name, self._mapping)

    def isMe(self, nick: str) -> bool:
        """
        Tell whether a nick is that of this connection.
        """
        return self.fold(nick) == self.fold(self.nick)

    def whenWelcomed(self) -> Deferred[None]:
        """
        Wait for the end of the registration. To be called once, when the
        connection is made.

        @return: fires when the server has sent its welcome; fails with
            L{TargetUnavailable} when the connection is lost before. Cancelling
            it aborts the connection.
        """

        def close(welcome: Deferred[None]) -> None:
            self._welcome = None
            self._wire.abortConnection()

        self._welcome = Deferred(close)
        return self._welcome

    def payloadLimit(self, line: Line, nick: str = "") -> int:
        """
        Compute the maximum length in bytes of the last parameter of a line, so
        that with the prefix that the server adds it has at most 512 bytes.

        @param nick: the nick in that prefix, C{""} for ours.
        """
        source = f"{nick or self.nick}!{self._user}@{self._host}"
        head = Line(line.command, (*line.params[:-1], " :"), source)
        return MAX_LINE - encodedLength(head, self.encoding)

    def connectionMade(self) -> None:
        super().connectionMade()
        for line in self._registration.firstLines():
            self.sendLine(line)

    def registrationTimedOut(self) -> None:
        self._lossReason = self._lossReason or "registration timed out"
        self._wire.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        text = (self._lossReason or reason.getErrorMessage()).rstrip(".")
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        welcome, self._welcome = self._welcome, None
        if welcome is not None:
            welcome.errback(TargetUnavailable(text))
        self._log.info(
            "{network}: connection lost: {reason}.",
            network=self._settings.name,
            reason=text,
        )
        for _, _, confirmed in unconfirmed.values():
            confirmed.errback(TargetUnavailable(text))
        self._listener.disconnected(self)

    def pingTimedOut(self) -> None:
        self._lossReason = "no answer to PING"
        self._wire.abortConnection()

    def lineRefused(self, reason: str, isLong: bool) -> None:
        self._log.debug(
            "{network}: ignored a malformed line: {problem}.",
            network=self._settings.name,
            problem=reason,
        )

    def lineReceived(self, line: Line) -> None:
        isComplete = len(line.params) >= _MIN_PARAMS.get(line.command, 0)
        if isComplete and not self._registration.failure:
            self._handle(line)

    def _handle(self, line: Line) -> None:
        if line.command == "PING":
            self.sendLine(Line("PONG", line.params[-1:]))
            return
        if line.command == "ERROR":
            self._lossReason = " ".join(line.params)[:200]
            return
        wasDone = self._registration.isDone
        for answer in self._registration.lineReceived(line):
            self.sendLine(answer)
        if self._registration.failure:
            self._fail(self._registration.failure)
            return
        handle = getattr(self, f"irc_{line.command}", None)
        if handle is not None:
            handle(line)
        elif line.command.isdigit() and line.command[0] in "45":
            self._errorReceived(line)
        if not wasDone and self._registration.isDone:
            self.startPinging()
            welcome, self._welcome = self._welcome, None
            self._listener.welcomed(self)
            if welcome is not None:
                welcome.callback(None)
        if self._registration.isDone:
            self._listener.lineReceived(self, line)

    def _fail(self, reason: str) -> None:
        self._log.error(
            "{network}: registration failed: {reason}.",
            network=self._settings.name,
            reason=reason,
        )
        self._lossReason = reason
        self.disconnect()

    def irc_005(self, line: Line) -> None:
        """
        C{005 <nick> <token>... :are supported by this server} (C{RPL_ISUPPORT}).
        """
        for word in line.params[1:-1]:
            name, _, value = word.partition("=")
            self.support[name] = value
        mapping = self.support.get("CASEMAPPING", "rfc1459")
        self._mapping = mapping if mapping in CASEMAPPINGS else "ascii"

    def irc_NICK(self, line: Line) -> None:
        """
        C{:<nick> NICK <new nick>}.
        """
        if self.isMe(line.nick) and isMiddleParam(line.params[0]):
            self._registration.nick = line.params[0]

    def irc_JOIN(self, line: Line) -> None:
        """
        C{:<nick>!<user>@<host> JOIN <channel>}: take over our user and host.
        """
        _, _, rest = line.source.partition("!")
        user, _, host = rest.partition("@")
        if self.isMe(line.nick) and host:
            self._user, self._host = user, host

    def irc_396(self, line: Line) -> None:
        """
        C{396 <nick> [<user>@]<host> :is now your displayed host} (C{RPL_VISIBLEHOST}).
        """
        # The host that other users see from now on.
        user, _, host = line.params[1].rpartition("@")
        if isMiddleParam(host):
            self._host = host
        if isMiddleParam(user):
            self._user = user

    def irc_PONG(self, line: Line) -> None:
        """
        C{PONG <server> <token>}: the message before our PING is processed.
        """
        token = line.params[-1] if line.params else ""
        _, _, confirmed = self._unconfirmed.pop(token, ("", "", None))
        if confirmed is not None:
            confirmed.callback(None)

    def irc_FAIL(self, line: Line) -> None:
        """
        C{FAIL <command> <code> [<context>...] :<description>}.
        """
        if line.params[:1] == ("RELAYMSG",):
            self._refuse("", "RELAYMSG", " ".join(line.params[1:]))

    def _errorReceived(self, line: Line) -> None:
        if len(line.params) > 2:
            self._refuse(self.fold(line.params[1]), "", line.params[-1])

    def _refuse(self, channel: str, command: str, reason: str) -> None:
        for token, (sentTo, sentAs, confirmed) in list(self._unconfirmed.items()):
            if channel in ("", sentTo) and command in ("", sentAs):
                del self._unconfirmed[token]
                confirmed.errback(DeliveryRefused(reason))
                return

    def sendConfirmed(self, channel: str, line: Line) -> Deferred[None]:
        """
        Send a message to a channel, and a C{PING} behind it: IRC servers answer
        in order, so its C{PONG} confirms that the message was processed.

        @return: fires at that C{PONG}; fails with L{DeliveryRefused} at an error
            reply, or with L{TargetUnavailable} when the connection is lost.
        """
        if not self.isOpen:
            return fail(TargetUnavailable("there is no connection"))
        self._serial += 1
        token = f"txwebqq{self._serial}"
        confirmed: Deferred[None] = Deferred(lambda _: self._forget(token))
        self._unconfirmed[token] = self.fold(channel), line.command, confirmed
        self.sendLine(line)
        self.sendLine(Line("PING", (token,)))
        return confirmed

    def _forget(self, token: str) -> None:
        self._unconfirmed.pop(token, None)

    def leave(self, reason: str) -> None:
        """
        Send C{QUIT} and close the connection.
        """
        if self.isOpen:
            self.sendLine(Line("QUIT", (reason,)))
            self.disconnect()
