"""
The table of IRC commands, and the protocol that dispatches a client's lines by
it: before registration to a L{Registration}, afterwards with a
L{ClientSession}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.gateway.capabilities import Reply
from txwebqq.irc.gateway.commands import (
    channeladmin,
    channels,
    chathistory,
    client,
    messages,
    monitor,
    multiline,
    queries,
    redact,
    server,
)
from txwebqq.irc.gateway.connection import ClientConnection
from txwebqq.irc.gateway.multiline import MULTILINE
from txwebqq.irc.gateway.registration import Authenticator, AuthResult, Registration
from txwebqq.irc.gateway.sendqueue import OutputTurn
from txwebqq.irc.gateway.session import Answer, ClientSession
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.line import Line


@dataclass(frozen=True, slots=True)
class Command:
    """
    One row of the table of commands.

    @ivar handler: answers a registered client; L{None} for a command that is
        allowed before registration only.
    @ivar minimum: the least number of parameters.
    @ivar beforeRegistration: answers a client that is not registered; L{None}
        for a command that is not allowed before registration.
    """

    handler: Callable[[ClientSession, Line], Answer] | None
    minimum: int = 0
    beforeRegistration: Callable[[Registration, Sequence[str]], list[Reply]] | None = (
        None
    )


COMMANDS: Mapping[str, Command] = {
    "ADMIN": Command(server.irc_ADMIN),
    "AUTHENTICATE": Command(None, 1, Registration.irc_AUTHENTICATE),
    "AWAY": Command(client.irc_AWAY),
    "BATCH": Command(multiline.irc_BATCH),
    "CAP": Command(client.irc_CAP, 1, Registration.irc_CAP),
    "CHATHISTORY": Command(chathistory.irc_CHATHISTORY),
    "INFO": Command(server.irc_INFO),
    "INVITE": Command(channeladmin.irc_INVITE, 2),
    "ISON": Command(queries.irc_ISON, 1),
    "JOIN": Command(channels.irc_JOIN, 1),
    "KICK": Command(channeladmin.irc_KICK, 2),
    "LIST": Command(channels.irc_LIST),
    "LUSERS": Command(server.irc_LUSERS),
    "MODE": Command(channeladmin.irc_MODE, 1),
    "MONITOR": Command(monitor.irc_MONITOR, 1),
    "MOTD": Command(server.irc_MOTD),
    "NAMES": Command(channels.irc_NAMES),
    "NICK": Command(client.irc_NICK, 0, Registration.irc_NICK),
    "NOTICE": Command(messages.irc_NOTICE),
    "PART": Command(channels.irc_PART, 1),
    "PASS": Command(None, 1, Registration.irc_PASS),
    "PING": Command(client.irc_PING),
    "PONG": Command(client.irc_PONG),
    "PRIVMSG": Command(messages.irc_PRIVMSG),
    "QUIT": Command(client.irc_QUIT, 0, Registration.irc_QUIT),
    "REDACT": Command(redact.irc_REDACT, 2),
    "TAGMSG": Command(messages.irc_TAGMSG),
    "TIME": Command(server.irc_TIME),
    "TOPIC": Command(channeladmin.irc_TOPIC, 1),
    "USER": Command(None, 4, Registration.irc_USER),
    "USERHOST": Command(queries.irc_USERHOST, 1),
    "VERSION": Command(server.irc_VERSION),
    "WHO": Command(queries.irc_WHO),
    "WHOIS": Command(queries.irc_WHOIS),
    "WHOWAS": Command(queries.irc_WHOWAS),
}
"""
All commands. Where the minimum is 0 although the command needs a parameter, its
handler gives another answer than 461: C{NICK}, C{WHOIS} and C{WHOWAS} with 431,
C{PING} with 409, C{PRIVMSG} with 411 and 412, C{BATCH} and C{CHATHISTORY} with
a standard reply, C{NOTICE} and C{TAGMSG} with nothing.
"""


class CommandDispatcher(ClientConnection):
    """
    The protocol of one IRC client.
    """

    _log = Logger()

    def __init__(self, factory: ClientFactory) -> None:
        super().__init__(factory.clock, factory.serverName, factory.turn)
        self._factory = factory
        self._registration = Registration(self._check, self._isLogin)
        self._session: ClientSession | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._factory.clientConnected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._session is not None:
            self._session.confirmation.stop()
            self._session.user.detach(self._session)
        self._factory.clientDisconnected(self)

    def lineRefused(self, reason: str, isLong: bool) -> None:
        name, nick = self._factory.serverName, self._nick
        if isLong:
            self.sendLine(Line("417", (nick, reason), name))
        else:
            self.sendLine(Line("NOTICE", (nick, f"Line ignored: {reason}"), name))

    @property
    def _nick(self) -> str:
        if self._session is not None:
            return self._session.nick
        return self._registration.nickOrStar

    def lineReceived(self, line: Line) -> None:
        session = self._session
        if session is None:
            self._register(line)
            return
        # Most lines have no tags.
        label = line.tags.get("label", "") if line.tags else ""
        session.answer(line.command, lambda: _answer(session, line), label)

    def _register(self, line: Line) -> None:
        registration, nick = self._registration, self._nick
        command = COMMANDS.get(line.command)
        if command is None or command.beforeRegistration is None:
            # irssi sends JOIN at once, and expects this numeric.
            replies: list[Reply] = [("451", nick, "You have not registered")]
        elif len(line.params) < command.minimum:
            replies = [("461", nick, line.command, "Not enough parameters")]
        else:
            replies = command.beforeRegistration(registration, line.params)
            replies += registration.finish()
        for numeric, *params in replies:
            # Some clients find AUTHENTICATE at the beginning of a line only.
            source = "" if numeric == "AUTHENTICATE" else self._factory.serverName
            self.sendLine(Line(numeric, tuple(params), source))
        if registration.refused:
            self.close(registration.refused)
        elif registration.isComplete:
            self._welcome()

    def _check(self, login: str, password: str) -> AuthResult:
        name = login.partition("/")[0]
        result = self._factory.authenticator.check(self.address, name, password)
        if result is AuthResult.REFUSED:
            self._log.info(
                "Login of an IRC client failed ({address}): wrong name or password.",
                address=self.address,
            )
        return result

    def _isLogin(self, login: str) -> bool:
        return login.partition("/")[0] in self._factory.users

    def _welcome(self) -> None:
        registration, factory = self._registration, self._factory
        name, _, key = registration.login.partition("/")
        user = factory.users[name]
        session = self._session = ClientSession(
            self,
            user,
            registration.capabilities,
            factory.serverName,
            registration.nick,
            key,
            factory.motd,
        )
        self.startPinging()
        session.send(server.greeting(session))
        if user.directory.targetNamed(session.nick) is not None:
            # The nick is that of a contact.
            session.send([session.setNick(user.name)])
        user.attach(session)


def _answer(session: ClientSession, line: Line) -> Answer:
    if "batch" in line.tags and session.builder.has(MULTILINE):
        return multiline.addLine(session, line)
    command = COMMANDS.get(line.command)
    if command is None:
        return [session.builder.numeric("421", line.command, "Unknown command")]
    if command.handler is None:
        return [session.builder.numeric("462", "You may not reregister")]
    if len(line.params) < command.minimum:
        text = "Not enough parameters"
        return [session.builder.numeric("461", line.command, text)]
    return command.handler(session, line)


class ClientFactory(Factory):
    """
    Builds the protocols of IRC clients, and knows which are connected.

    @ivar serverName: the name of the IRC server.
    @ivar motd: the message of the day, C{""} for none.
    @ivar users: the gateway's users, by name.
    @ivar authenticator: checks their passwords.
    @ivar turn: writes what the clients are sent in one turn of the reactor.
    @ivar connections: the clients that are connected.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        serverName: str,
        motd: str,
        users: Mapping[str, GatewayUser],
        authenticator: Authenticator,
        turn: OutputTurn | None = None,
    ) -> None:
        self.turn = turn
        self.clock = clock
        self.serverName = serverName
        self.motd = motd
        self.users = users
        self.authenticator = authenticator
        self.connections: set[CommandDispatcher] = set()
        self._whenEmpty: Deferred[None] | None = None

    def logPrefix(self) -> str:
        return "IRC gateway"

    def buildProtocol(self, addr: IAddress | None) -> CommandDispatcher:
        return CommandDispatcher(self)

    def clientConnected(self, connection: CommandDispatcher) -> None:
        """
        Called when a client has connected.
        """
        self.connections.add(connection)

    def clientDisconnected(self, connection: CommandDispatcher) -> None:
        """
        Called when the connection of a client was lost.
        """
        self.connections.discard(connection)
        if not self.connections and self._whenEmpty is not None:
            whenEmpty, self._whenEmpty = self._whenEmpty, None
            whenEmpty.callback(None)

    def closeConnections(self, reason: str) -> Deferred[None]:
        """
        Close all connections.

        @return: fires when none is left.
        """
        for connection in list(self.connections):
            connection.close(reason)
        if not self.connections:
            return succeed(None)
        self._whenEmpty = Deferred()
        return self._whenEmpty
