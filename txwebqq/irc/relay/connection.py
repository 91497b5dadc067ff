"""
A connection of the relay, or of a puppet, to an IRC server: registration,
keepalive, and messages that are confirmed.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.clienttags import allowsTag
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength, isMiddleParam
from txwebqq.irc.protocol.lineconnection import LineConnection
from txwebqq.irc.relay.client.confirmation import Confirmation, ConfirmationQueue
from txwebqq.irc.relay.client.joinqueue import limitOf, targetLimit
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.registration import ClientRegistration

MAX_RECEIVED = 8192
"""Maximum length of a line from a server, in bytes; some send more than 512."""

PING_INTERVAL = 60.0
"""The seconds without data from the server until it is sent a C{PING}, and
from then until the connection is aborted."""

GREETING_TIMEOUT = 10.0
"""The seconds from the server's welcome until its greeting counts as complete
without the end of the message of the day."""

_CONFIRMED = frozenset({"PRIVMSG", "REDACT", "RELAYMSG"})
"""The commands that are sent so that the server confirms them."""

_END_OF_MOTD = frozenset({"376", "422"})

_MAX_HOST = 63
"""Maximum length of the host in a prefix, in characters; assumed until the
server has shown ours."""

_MIN_PARAMS = {
    "353": 4,
    "366": 2,
    "396": 2,
    "470": 3,
    "BATCH": 1,
    "CHGHOST": 2,
    "FAIL": 2,
    "INVITE": 2,
    "JOIN": 1,
    "KICK": 2,
    "MODE": 1,
    "NICK": 1,
    "NOTICE": 2,
    "PART": 1,
    "PRIVMSG": 2,
    "REDACT": 2,
    "TAGMSG": 1,
}
"""The least number of parameters of commands; shorter lines are ignored."""


class ConnectionListener:
    """
    The events of an L{IRCConnection}; a subclass overrides what it needs.
    """

    def welcomed(self, connection: IRCConnection) -> None:
        """
        The registration is complete, and the server has sent its features.
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

    @param alternatives: the nicks to ask for when the server does not allow the
        first one.
    @ivar lossReason: the reason of the server, or ours, why the connection ends.
    @ivar support: the tokens of the server's C{RPL_ISUPPORT} (005).
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
        alternatives: Sequence[str] = (),
    ) -> None:
        super().__init__(clock, "txwebqq", settings.encoding, MAX_RECEIVED)
        self._settings = settings
        self._listener = listener
        self._registration = ClientRegistration(settings, nick, alternatives)
        self._confirmations = ConfirmationQueue(clock, self.sendLine, self._unconfirmed)
        self._user = f"~{settings.user}"[:12]
        self._host = "x" * _MAX_HOST
        self._mapping = "rfc1459"
        self._welcome: Deferred[None] | None = None
        self.lossReason = ""
        # The timer from the welcome to the end of the greeting, which has the
        # server's C{RPL_ISUPPORT}.
        self._greeting: IDelayedCall | None = None
        self._isGreeted = False
        self.support: dict[str, str] = {}

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

    def allowsTag(self, tag: str) -> bool:
        """
        Tell whether the server passes on a client tag.
        """
        return allowsTag(self.capabilities, self.support, tag)

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

    @property
    def isBouncer(self) -> bool:
        """
        Whether a bouncer is between the relay and the network.
        """
        return self._settings.bouncer or self._registration.isBouncer

    @property
    def nickLimit(self) -> int | None:
        """
        The C{NICKLEN} of the server, in bytes; L{None} when it names none.
        """
        return limitOf(self.support.get("NICKLEN", ""))

    def truncatedNick(self, nick: str) -> str:
        """
        Cut a nick to the C{NICKLEN} of the server, as the server does.
        """
        return nick.encode()[: self.nickLimit].decode("utf-8", "ignore")

    def whenWelcomed(self) -> Deferred[None]:
        """
        Wait for the end of the registration. To be called once, when the
        connection is made.

        @return: fires when the server has sent its greeting; fails with
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
        self.lossReason = self.lossReason or "registration timed out"
        self._wire.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        text = (self.lossReason or reason.getErrorMessage()).rstrip(".")
        if self._greeting is not None:
            self._greeting.cancel()
            self._greeting = None
        welcome, self._welcome = self._welcome, None
        if welcome is not None:
            welcome.errback(TargetUnavailable(text))
        self._log.info(
            "{network}: connection lost: {reason}.",
            network=self._settings.name,
            reason=text,
        )
        self._confirmations.failAll(lambda: TargetUnavailable(text))
        self._listener.disconnected(self)

    def pingTimedOut(self) -> None:
        self.lossReason = "no answer to PING"
        self._wire.abortConnection()

    def _unconfirmed(self) -> None:
        self.lossReason = "messages are not confirmed"
        self._wire.abortConnection()

    def lineRefused(self, reason: str, isLong: bool) -> None:
        self._log.debug(
            "{network}: ignored a malformed line: {problem}.",
            network=self._settings.name,
            problem=reason,
        )

    def lineReceived(self, line: Line) -> None:
        isComplete = len(line.params) >= _MIN_PARAMS.get(line.command, 0)
        if not isComplete or self._registration.failure:
            return
        try:
            self._handle(line)
        except Exception:
            # It would end the connection, and the lines behind it would be lost.
            self._log.failure(
                "{network}: processing a {command} line failed; the line is ignored.",
                network=self._settings.name,
                command=line.command,
            )

    def _handle(self, line: Line) -> None:
        if line.command == "PING":
            self.sendLine(Line("PONG", line.params[-1:]))
            return
        if line.command == "ERROR":
            self.lossReason = " ".join(line.params)[:200]
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
            self._greeting = self._clock.callLater(GREETING_TIMEOUT, self._greeted)
        if line.command in _END_OF_MOTD and self._greeting is not None:
            self._greeting.cancel()
            self._greeted()
        if self._isGreeted:
            self._listener.lineReceived(self, line)

    def _greeted(self) -> None:
        self._greeting = None
        self._isGreeted = True
        welcome, self._welcome = self._welcome, None
        self._listener.welcomed(self)
        if welcome is not None:
            welcome.callback(None)

    def _fail(self, reason: str) -> None:
        self._log.error(
            "{network}: registration failed: {reason}.",
            network=self._settings.name,
            reason=reason,
        )
        self.lossReason = reason
        self.disconnect()

    def irc_005(self, line: Line) -> None:
        """
        C{005 <nick> <token>... :are supported by this server} (C{RPL_ISUPPORT}).
        """
        for word in line.params[1:-1]:
            name, _, value = word.partition("=")
            if name.startswith("-"):
                self.support.pop(name[1:], None)
            else:
                self.support[name] = value
        self._mapping = self.support.get("CASEMAPPING", "rfc1459")

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

    def irc_CHGHOST(self, line: Line) -> None:
        """
        C{:<nick>!<user>@<host> CHGHOST <new user> <new host>}.
        """
        user, host, *_ = line.params
        if self.isMe(line.nick) and isMiddleParam(user) and isMiddleParam(host):
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
        # Some servers have the parameters the other way round.
        self._confirmations.answered(line.params)

    def irc_NOTICE(self, line: Line) -> None:
        """
        C{:<nick> NOTICE <nick> :<token>}: from ourselves, on a bouncer.
        """
        if self.isMe(line.nick):
            self._confirmations.answered(line.params[1:])

    def irc_PRIVMSG(self, line: Line) -> None:
        """
        C{:<nick> PRIVMSG <channel> :<text>}: from ourselves.
        """
        channel, msgid = self.fold(line.params[0]), line.tags.get("msgid", "")
        if self.isMe(line.tags.get("draft/relaymsg", "")):
            self._confirmations.echoed(channel, "RELAYMSG", msgid)
        elif self.isMe(line.nick) and self.isMe(line.params[0]):
            self._confirmations.copied()
        elif self.isMe(line.nick):
            self._confirmations.echoed(channel, "PRIVMSG", msgid)

    def irc_FAIL(self, line: Line) -> None:
        """
        C{FAIL <command> <code> [<context>...] :<description>}.
        """
        command, code, *_ = line.params
        if command in _CONFIRMED:
            problem = DeliveryRefused(" ".join(line.params[1:]), code=code)
            self._confirmations.refused("", command, problem)

    def _errorReceived(self, line: Line) -> None:
        if len(line.params) > 2:
            problem = DeliveryRefused(line.params[-1], code=line.command)
            subject = line.params[1]
            # An unknown command, or a bouncer without a connection.
            if subject in _CONFIRMED:
                self._confirmations.refused("", subject, problem)
            else:
                self._confirmations.refused(self.fold(subject), "", problem)

    def sendConfirmed(self, channel: str, line: Line) -> Deferred[str]:
        """
        Send a message to a channel, and have the server confirm it.

        @return: fires when the server has processed the message, with its C{msgid} or
            C{""}; fails with L{DeliveryRefused} at an error reply, or with
            L{TargetUnavailable} when the connection is lost.
        """
        if not self.isOpen:
            return fail(TargetUnavailable("there is no connection"))
        if self.isBouncer:
            means = Confirmation.NOTICE
        # Servers differ in whether they echo RELAYMSG.
        elif line.command != "PRIVMSG":
            means = Confirmation.PING
        elif "echo-message" in self.capabilities:
            means = Confirmation.ECHO
        elif targetLimit(self.support, "PRIVMSG", 1) > 1:
            means = Confirmation.COPY
        else:
            means = Confirmation.PING
        return self._confirmations.send(self.fold(channel), line, self.nick, means)

    def leave(self, reason: str) -> None:
        """
        Send C{QUIT} and close the connection.
        """
        if self.isOpen:
            self.sendLine(Line("QUIT", (reason,)))
            self.disconnect()
