"""
What the gateway and an IRC client say to each other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import isawaitable

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.gateway.commands.channeladmin import MAX_MODES, ChannelAdminCommands
from txwebqq.irc.gateway.commands.chathistory import MAX_PAST
from txwebqq.irc.gateway.commands.messages import MAX_TARGETS
from txwebqq.irc.gateway.commands.monitor import MAX_WATCHED, MonitorCommand
from txwebqq.irc.gateway.commands.multiline import MultilineBatches
from txwebqq.irc.gateway.directory import BOT_NICK
from txwebqq.irc.gateway.session import Answer
from txwebqq.irc.protocol.batch import labeledResponse
from txwebqq.irc.protocol.line import MAX_LINE, Line
from txwebqq.irc.protocol.nicknames import MAX_CHANNEL, MAX_NICK, isNick
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.targets import SERVICE

GUESSES, GUESSING = 5, 60.0
"""So many wrong passwords are looked at in so many seconds, of an address and
for a user."""

SUPPORT = (
    "CASEMAPPING=rfc1459",
    f"CHANNELLEN={MAX_CHANNEL}",
    "CHANMODES=,,,nt",
    "CHANTYPES=#",
    f"CHATHISTORY={MAX_PAST}",
    "CLIENTTAGDENY=*,-typing",
    f"LINELEN={MAX_LINE}",
    f"MODES={MAX_MODES}",
    f"MONITOR={MAX_WATCHED}",
    "MSGREFTYPES=msgid,timestamp",
    "NETWORK=QQ",
    f"NICKLEN={MAX_NICK}",
    "PREFIX=(o)@",
    f"TARGMAX=NOTICE:{MAX_TARGETS},PRIVMSG:{MAX_TARGETS}",
)

MAX_LABEL = 64

# Each numeric has thirteen of them at most.
_SUPPORTS = 12

# What clients say by themselves, and what needs no answer here.
_SILENT = frozenset({"PONG"})


class CommandDispatcher(ChannelAdminCommands, MonitorCommand, MultilineBatches):
    """
    One client, from its first words to its last.
    """

    _log = Logger()

    def connectionMade(self) -> None:
        super().connectionMade()
        self._gateway.clientConnected(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if self._user is not None:
            self._user.detach(self)
        self._gateway.clientDisconnected(self)

    def ask(self) -> None:
        """
        Ask whether the client is still there.
        """
        self.sendLine(Line("PING", (self._gateway.serverName,)))

    def lineRefused(self, reason: str, isLong: bool) -> None:
        """
        Tell what was wrong with a line.
        """
        if isLong:
            self.sendLine(self.numeric("417", reason))
        else:
            self.sendLine(Line("NOTICE", (self._nick or "*", f"Not taken: {reason}")))

    # ---- questions and answers

    def lineReceived(self, line: Line) -> None:
        """
        Answer what the client says.
        """
        if self._user is None:
            self.send(self._heard(line))
            if self._registration.refused:
                self.leave(self._registration.refused)
            elif self._registration.complete:
                self._welcome()
            return
        label = self._labelOf(line)
        answer = self._answer(line)
        if answer is None:
            return
        if isawaitable(answer):
            Deferred.fromCoroutine(self._finish(answer, label))
        else:
            self._hand(list(answer), label)

    def _heard(self, line: Line) -> list[Line]:
        name = self._gateway.serverName
        return [
            Line(command, tuple(params), name)
            for command, *params in self._registration.heard(line.command, line.params)
        ]

    def _answer(self, line: Line) -> Answer:
        if line.command == "CAP":
            return self._heard(line)
        if self._isPart(line):
            return self._gathered(line)
        handle = getattr(self, f"_irc_{line.command}", None)
        if handle is not None:
            answer: Answer = handle(line)
            return answer
        if line.command in _SILENT:
            return ()
        return [self.numeric("421", line.command[:50], "Unknown command")]

    async def _finish(self, answer: Awaitable[Iterable[Line]], label: str) -> None:
        try:
            said = list(await answer)
        except Exception:
            self._log.failure("A client's command was lost.")
        else:
            self._hand(said, label)

    def _hand(self, said: list[Line], label: str) -> None:
        if 0 < len(label) <= MAX_LABEL and self._has("labeled-response", "batch"):
            said = labeledResponse(
                label, said, self._reference(), self._gateway.serverName
            )
        self.send(said)

    # ---- coming in

    def _welcome(self) -> None:
        name = self._registration.user.partition("/")[0]
        user = self._user = self._gateway.user(name)
        self._nick = self._registration.nick
        self._parted = user.parted.of(user.name, self.key)
        self.settle()
        self.send(self._greeting())
        if user.placeNamed(self._nick) is not None:
            self.send(self._rename(user.name))
        user.attach(self)

    def _greeting(self) -> Iterable[Line]:
        name = self._gateway.serverName
        yield self.numeric("001", f"Welcome to QQ, {self._nick}")
        yield self.numeric("002", f"Your host is {name}, running txwebqq")
        yield self.numeric("003", "It stays signed on when you leave")
        yield Line("004", (self._nick, name, "txwebqq", "i", "nt"), name)
        for start in range(0, len(SUPPORT), _SUPPORTS):
            some = SUPPORT[start : start + _SUPPORTS]
            yield self.numeric("005", *some, "are supported by this server")
        motd = splitLines(self._gateway.motd)
        if motd:
            yield self.numeric("375", f"{name} message of the day")
            for text in motd:
                yield self.numeric("372", f"- {text}")
            yield self.numeric("376", "End of message of the day")
        else:
            yield self.numeric("422", "There is no message of the day")

    def _rename(self, nick: str) -> Iterable[Line]:
        yield self.fromUser("NICK", nick)
        self._nick = nick

    # ---- about the client itself

    def _irc_PING(self, line: Line) -> Answer:
        name = self._gateway.serverName
        return [Line("PONG", (name, *line.params[:1]), name)]

    def _irc_QUIT(self, line: Line) -> Answer:
        self.leave("Bye")
        return ()

    def _irc_NICK(self, line: Line) -> Answer:
        nick = line.params[0] if line.params else ""
        if not isNick(nick):
            return [self.numeric("432", "*", "Erroneous nickname")]
        if self._known().placeNamed(nick) is not None:
            return [self.numeric("433", nick, "That is somebody on QQ")]
        return self._rename(nick)

    async def _irc_AWAY(self, line: Line) -> Iterable[Line]:
        if line.params and line.params[0]:
            reply, word = self.numeric("306", "You are away"), "status away"
        else:
            reply, word = self.numeric("305", "You are back"), "status online"
        return [reply, *await self._tell(SERVICE, BOT_NICK, word)]
