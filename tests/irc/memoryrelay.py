"""
A relay in memory, between a WebQQ in memory and a scripted IRC server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import MemoryReactor, StringTransport
from twisted.python.failure import Failure

from tests.irc.gateway.test_service import PICTURE
from txwebqq.irc.config.relay import ChannelRef, GroupRef, NetworkSettings, RoomSettings
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.line import Line, parse, serialise
from txwebqq.irc.qq.accountprotocol import AccountFactory
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.relay.account import RelayAccount
from txwebqq.irc.relay.network import IRCNetwork
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.service import RELAY_SCHEMA
from txwebqq.irc.relay.storage.messageids import MessageIds
from txwebqq.irc.relay.storage.outbox import Outbox
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.model import Face, GroupMessage, Number, Segment, Text
from txwebqq.sqlite.database import MEMORY, Database
from txwebqq.testing import MemoryPerson, MemoryWebQQ

HOST = "relay.example.org"


class Reactor(MemoryReactor):
    """
    A reactor with the clock of the test, without a network.
    """

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self.callLater = clock.callLater
        self.seconds = clock.seconds


class Transport(StringTransport):
    """
    Calls a function when it is closed.
    """

    def __init__(self, closed: Callable[[], None]) -> None:
        super().__init__()
        self._closed = closed

    def loseConnection(self) -> None:
        self._closed()

    def abortConnection(self) -> None:
        self._closed()


class ServerConnection:
    """
    The server's end of a connection.

    @ivar received: the received lines, but for C{PING}.
    @ivar steps: the steps of the registration that are done.
    """

    def __init__(self, server: IRCServer, factory: Any, clock: Any) -> None:
        self._clock = clock
        self.server = server
        self.received: list[Line] = []
        self.nick = ""
        self.steps: set[str] = set()
        self.isOpen = True
        self._isProcessing = False
        self.protocol = factory.buildProtocol(None)
        self._transport = Transport(self.close)
        self.protocol.makeConnection(self._transport)
        self.turn()

    def close(self) -> None:
        """
        Close the connection; the relay is told on the next turn of the clock.
        """
        if self.isOpen:
            self.isOpen = False
            self.turn()
            reason = Failure(ConnectionDone())
            self._clock.callLater(0, self.protocol.connectionLost, reason)

    def send(self, *lines: Line) -> None:
        """
        Send lines to the relay.
        """
        for line in lines:
            self.protocol.dataReceived(serialise(line))
        self.turn()

    def turn(self) -> None:
        """
        Process the lines that the relay has sent.
        """
        if self._isProcessing:
            return
        self._isProcessing = True
        while raw := self._transport.value():
            self._transport.clear()
            for each in raw.split(b"\r\n")[:-1]:
                self._lineReceived(parse(each))
        self._isProcessing = False

    def _lineReceived(self, line: Line) -> None:
        if line.command == "PING":
            if not self.server.isMute and self.isOpen:
                self.send(Line("PONG", ("irc.test", *line.params), "irc.test"))
            return
        self.received.append(line)
        if not self.server.override(self, line):
            self.server.answer(self, line)

    def privmsgs(self) -> list[str]:
        """
        Return the texts of the received C{PRIVMSG}s.
        """
        return [line.params[1] for line in self.received if line.command == "PRIVMSG"]


class IRCServer:
    """
    An IRC server with registration and C{JOIN}.

    @ivar offers: the capabilities, separated by spaces.
    @ivar taken: the casefolded nicks of other users.
    @ivar isMute: whether C{PING} is not answered.
    @ivar members: the members of each channel.
    @ivar override: called with each line before it is answered; answers it in
        another way and returns L{True}, or returns L{False}.
    @ivar support: the tokens of C{RPL_ISUPPORT}.
    @ivar hasEnd: whether the greeting has the end of the message of the day.
    @ivar answersUpper: whether channel names are answered in upper case.
    @ivar refuse: the numerics with which channels and commands are refused.
    @ivar echoed: the number of messages that were echoed, with the ids C{m1} and so
        on, if C{message-tags echo-message} is offered.
    """

    def __init__(self, clock: Any) -> None:
        self.reactor = Reactor(clock)
        self.clock = clock
        self.connections: list[ServerConnection] = []
        self.offers = ""
        self.taken: set[str] = set()
        self.isMute = False
        self.members = "@bob"
        self.override: Callable[[ServerConnection, Line], bool] = lambda *_: False
        self.support = "CASEMAPPING=rfc1459"
        self.hasEnd = True
        self.answersUpper = False
        self.refuse: dict[str, str] = {}
        self.echoed = 0
        self._seen = 0

    def accept(self) -> None:
        """
        Accept the relay's new connections.
        """
        while self._seen < len(self.reactor.tcpClients):
            factory = self.reactor.tcpClients[self._seen][2]
            self._seen += 1
            self.connections.append(ServerConnection(self, factory, self.clock))

    @property
    def last(self) -> ServerConnection:
        """
        The latest connection.
        """
        return self.connections[-1]

    def answer(self, connection: ServerConnection, line: Line) -> None:
        """
        Answer a line.
        """
        command, params, nick = line.command, line.params, connection.nick
        mask = f"{nick}!~relay@{HOST}"
        if command == "CAP" and params[0] == "LS":
            if self.offers:
                connection.send(Line("CAP", ("*", "LS", self.offers)))
        elif command == "CAP" and params[0] == "REQ":
            connection.send(Line("CAP", ("*", "ACK", params[1])))
        elif command == "AUTHENTICATE" and params == ("PLAIN",):
            connection.send(Line("AUTHENTICATE", ("+",)))
        elif command == "AUTHENTICATE":
            numeric = self.refuse.get("AUTHENTICATE", "903")
            connection.send(Line(numeric, ("*", "SASL")))
        elif command == "NICK":
            if casefold(params[0]) in self.taken:
                connection.send(Line("433", ("*", params[0], "Taken")))
                return
            connection.nick = params[0]
            if nick:
                connection.send(Line("NICK", params, mask))
        if command == "USER":
            connection.steps.add("USER")
        if (command, params) == ("CAP", ("END",)):
            connection.steps.add("CAP")
        self._welcome(connection)
        if command == "JOIN":
            channel = params[0]
            if channel in self.refuse:
                connection.send(Line(self.refuse[channel], (nick, channel, "No")))
                return
            if self.answersUpper:
                channel = channel.upper()
            connection.send(
                Line("JOIN", (channel,), mask),
                Line("353", (nick, "=", channel, f"{self.members} {nick}")),
                Line("366", (nick, channel, "End")),
            )
        elif command == "PRIVMSG" and "message-tags echo-message" in self.offers:
            self.echoed += 1
            connection.send(Line(command, params, mask, {"msgid": f"m{self.echoed}"}))
        elif command in self.refuse:
            numeric = self.refuse[command]
            if numeric == "FAIL":
                connection.send(Line("FAIL", (command, "INVALID_NICK", "No")))
            else:
                connection.send(Line(numeric, (nick, params[0], "Not now")))

    def _welcome(self, connection: ServerConnection) -> None:
        wanted = {"USER", "CAP"} if self.offers else {"USER"}
        if not connection.nick or not connection.steps >= wanted:
            return
        if "welcome" in connection.steps:
            return
        connection.steps.add("welcome")
        connection.send(
            Line("001", (connection.nick, "Welcome")),
            Line("005", (connection.nick, self.support, "are supported")),
            *[Line("422", (connection.nick, "MOTD File is missing"))] * self.hasEnd,
        )

    def tag(self, **tags: str) -> None:
        """
        Send a C{TAGMSG} of the user bob to the relay, with C{draft} tags.
        """
        named = {f"+draft/{name}": value for name, value in tags.items()}
        self.last.send(Line("TAGMSG", ("#cats",), "bob!b@host", named))

    def bob(self, text: str, channel: str = "#cats", **tags: str) -> None:
        """
        Send a message of the user bob to the relay.
        """
        named = {name.replace("_", "-"): value for name, value in tags.items()}
        self.last.send(Line("PRIVMSG", (channel, text), "bob!b@host", named))


class MemoryRelay:
    """
    A relay with Alice's account between a group, of which Ming is a member, and
    a channel, C{#cats} by default.

    @param more: the names of further groups of both of them, in the same room.
    @param web: the server, by default one in memory.
    @param former: a relay that has ended, at the same server with the same accounts.
    @ivar recalled: the sources and ids of the messages that the account was told to
        recall, if L{record} was called.
    @ivar reacted: the same for reactions, with the faces, and whether they are set.
    @ivar refusal: the error with which these fail, L{None} for success.
    """

    number: Number
    web: MemoryWebQQ
    alice: MemoryPerson
    ming: MemoryPerson

    def __init__(
        self,
        network: Any = None,
        database: Any = None,
        channel: str = "#cats",
        more: Sequence[str] = (),
        web: MemoryWebQQ | None = None,
        former: MemoryRelay | None = None,
        **room: Any,
    ) -> None:
        if former is not None:
            self.web, self.alice, self.ming = former.web, former.alice, former.ming
            self.number = former.number
        else:
            self.web = web or MemoryWebQQ()
            self.alice, self.ming = self.web.friends("Alice", "小明")
            self.number = self.web.group("猫咪", self.ming, self.alice)
        self.isFirst = former is None
        clock: Any = self.web.clock
        self.clock = clock
        others = [self.web.group(name, self.ming, self.alice) for name in more]
        self.database = database or Database(MEMORY, RELAY_SCHEMA)
        self.outbox = Outbox(self.database)
        self.links = MediaLinks(self.database, clock.seconds, "http://qq.test")
        self.server = IRCServer(clock)
        ref = GroupRef(self.alice.number, Target(TargetKind.GROUP, self.number))
        settings = {
            "name": "home",
            "endpoint": "tcp:127.0.0.1:6667",
            "nick": "qqrelay",
            "burst": 100,
            **(network or {}),
        }
        self.network = IRCNetwork(NetworkSettings(**settings), self.server.reactor)
        self.room = BridgedRoom(
            RoomSettings((ref,), (ChannelRef("home", channel),), **room),
            self.outbox,
            MessageIds(self.database),
            clock,
            self.links,
        )
        self.account = RelayAccount(self.alice.number, clock, self.outbox)
        self.groupLink = self.account.link(ref, self.room)
        self.room.add(self.groupLink)
        self.groupLinks = [self.groupLink]
        for other in others:
            another = replace(ref, target=Target(TargetKind.GROUP, other))
            self.groupLinks.append(self.account.link(another, self.room))
            self.room.add(self.groupLinks[-1])
        self.recalled: list[tuple[int, int]] = []
        self.reacted: list[tuple[int, int, Face | Text, bool]] = []
        self.refusal: Exception | None = None
        self.link = self.network.joinChannel(channel, "", self.room)
        self.room.add(self.link)
        self.web.settle()

    def start(self) -> None:
        """
        Sign on, and connect to the IRC server.
        """
        if self.isFirst:
            self.ming.run()
        self.alice.run(AccountFactory(self.account.qq))
        self.network.startService()
        self.settle()

    def settle(self, seconds: float = 1.0) -> None:
        """
        Advance the clock, and process what the relay sends.
        """
        steps = max(4, int(seconds))
        for _ in range(steps):
            self.web.settle(seconds / steps)
            self.server.accept()
            for connection in self.server.connections:
                if connection.isOpen:
                    connection.turn()

    def record(self) -> None:
        """
        Record recalls and reactions of the account, which the server does not get.
        """
        actions: Any = self.account.qq.actions

        async def recall(target: Target, messageId: int) -> None:
            self.recalled.append((target.number, messageId))
            if self.refusal is not None:
                raise self.refusal

        async def react(
            target: Target, messageId: int, face: Face | Text, isSet: bool
        ) -> None:
            self.reacted.append((target.number, messageId, face, isSet))
            if self.refusal is not None:
                raise self.refusal

        actions.recall, actions.react = recall, react

    def messages(self, name: str = "猫咪") -> list[GroupMessage]:
        """
        Return the messages that Ming has received in a group.
        """
        gid = self.ming.groupCalled(name).gid
        return [
            event
            for event in self.ming.events
            if isinstance(event, GroupMessage) and event.group == gid
        ]

    def say(self, *content: Segment | str, group: str = "猫咪") -> int:
        """
        Let Ming send a message to a group.

        @return: its id.
        """
        gid = self.ming.groupCalled(group).gid
        sent = self.web.result(self.ming.protocol.sendGroupMessage(gid, content))
        self.settle()
        return sent.messageId

    def rename(self, name: str) -> None:
        """
        Give Ming another name in the group.
        """
        conversations = self.account.qq.contacts.conversations
        conversation = conversations[self.groupLink.group.target]
        members = tuple(
            replace(member, name=name) if member.number == self.ming.number else member
            for member in conversation.members
        )
        conversations[conversation.target] = replace(conversation, members=members)
        self.groupLink.refresh()

    def sendPicture(self) -> None:
        """
        Let Ming send a picture to the group.
        """
        gid = self.ming.groupCalled("猫咪").gid
        sent = self.ming.protocol.sendGroupPicture(gid, PICTURE, "茶.png")
        self.web.result(sent)

    def irc(self) -> list[str]:
        """
        Return the texts that the relay has sent on its latest connection.
        """
        return self.server.last.privmsgs()

    def qq(self) -> list[str]:
        """
        Return the texts that Ming has received.
        """
        return list(self.ming.heard)

    def received(self, *commands: str) -> list[tuple[str, ...]]:
        """
        Return the lines with some commands that the relay has sent on its latest
        connection.
        """
        return [
            (line.command, *line.params)
            for line in self.server.last.received
            if line.command in commands
        ]

    def stop(self) -> None:
        """
        Stop the relay.
        """
        self.room.stop()
        self.network.stopService()
        self.settle()


def digits(lines: list[str]) -> list[int]:
    """
    Return the numbers at the ends of lines.
    """
    return [int(found[1]) for line in lines if (found := re.search(r"(\d+)$", line))]
