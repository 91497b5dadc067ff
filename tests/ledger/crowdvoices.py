"""
The people of C{make chaos}: QQ accounts, an IRC user of the gateway, and one in the
channel of the relay.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tests.endtoend.daemons import INTERVAL
from tests.irc.servers import IRCUser
from tests.ledger.book import Kind, Outcome
from tests.ledger.crowd import (
    BRIDGE_NAME,
    CHANNEL,
    IRC_PASSWORD,
    LOBBY,
    LOBBY_NAME,
    TRIP_NAME,
    nickOf,
)
from tests.ledger.voices import TOKEN, Listening, OurVoice, Send
from tests.network.rawclient import Refused
from txwebqq.irc.protocol.line import Line, parse


class CrowdVoice(OurVoice):
    """
    Says things for an account of the crowd.
    """

    async def _prepare(
        self, online: Listening, kind: Kind, target: int, text: str
    ) -> Send:
        if kind is Kind.FRIEND:
            uins = {buddy.nick: buddy.uin for buddy in online.buddies.values()}
            return lambda: online.sendMessage(uins[nickOf(target)], text)
        if kind is Kind.GROUP:
            gids = {group.name: group.gid for group in online.groups.values()}
            name = LOBBY_NAME if target == LOBBY else BRIDGE_NAME
            return lambda: online.sendGroupMessage(gids[name], text)
        dids = {d.name: d.did for d in online.discussions.values()}
        if TRIP_NAME not in dids:
            # They are fetched after the sign-on.
            raise Refused(-1)
        return lambda: online.sendDiscussionMessage(dids[TRIP_NAME], text)


class TokenUser(IRCUser):
    """
    Reports the tokens in the messages of others.
    """

    shown: Callable[[str], object]

    def lineReceived(self, raw: bytes) -> None:
        super().lineReceived(raw)
        line = parse(raw)
        if line.command == "PRIVMSG" and line.nick != self.nick:
            for token in TOKEN.findall(line.params[-1]):
                self.shown(token)
        self.handle(line)

    def handle(self, line: Line) -> None:
        """
        Handle a line.
        """


class GatewayUser(TokenUser):
    """
    A user of the gateway, who is told by it what became of each message.

    @param shown: is called with each token that is shown.
    @ivar isAttached: whether there is a connection to the gateway.
    """

    def __init__(self, port: int, shown: Callable[[str], object]) -> None:
        super().__init__(
            port,
            "alice",
            "message-tags",
            "batch",
            "labeled-response",
            "echo-message",
            "server-time",
            password=f"alice:{IRC_PASSWORD}",
        )
        self.shown = shown
        self.isAttached = False
        self._pending: dict[str, Deferred[Outcome]] = {}

    async def receives(self, command: str) -> None:
        while command == "366" and not self._have("366"):
            # The gateway knows a channel from the first sign-on of its account.
            if self._have("403"):
                self.lines.clear()
                self.send("JOIN", f"#{LOBBY_NAME}")
            await deferLater(reactor, INTERVAL)
        await super().receives(command)

    def _have(self, command: str) -> bool:
        return command in [line.command for line in self.lines]

    def tell(self, target: str, token: str) -> Deferred[Outcome]:
        """
        Send a message.

        @return: fires with what the user knows of it then.
        """
        answered: Deferred[Outcome] = Deferred()
        self._pending[token] = answered
        self._write(Line("PRIVMSG", (target, token), tags={"label": token}))
        return answered

    def handle(self, line: Line) -> None:
        if line.command == "PRIVMSG":
            if line.nick == self.nick:
                self._settle(line.params[-1], Outcome.ACCEPTED)
        elif line.command != "BATCH":
            # An error may tell of an answer that was lost.
            self._settle(line.tags.get("label", ""), Outcome.UNCERTAIN)

    def detached(self) -> None:
        """
        The gateway is gone, and with it the answers.
        """
        self.isAttached = False
        for token in list(self._pending):
            self._settle(token, Outcome.UNCERTAIN)

    def _settle(self, token: str, outcome: Outcome) -> None:
        answered = self._pending.pop(token, None)
        if answered is not None:
            answered.callback(outcome)


class ChannelUser(TokenUser):
    """
    A user in the channel of the relay.

    @ivar isRelayed: whether the relay is in the channel.
    """

    def __init__(self, port: int, shown: Callable[[str], object]) -> None:
        super().__init__(port, "bob")
        self.shown = shown
        self._relays: set[str] = set()

    @property
    def isRelayed(self) -> bool:
        return bool(self._relays)

    def handle(self, line: Line) -> None:
        if line.command == "JOIN" and line.nick.startswith("qqrelay"):
            self._relays.add(line.nick)
        elif line.command in ("QUIT", "PART"):
            self._relays.discard(line.nick)
        elif line.command == "NICK" and line.nick in self._relays:
            self._relays.discard(line.nick)
            self._relays.add(line.params[0])

    def detached(self) -> None:
        """
        The IRC server is gone.
        """
        self._relays.clear()

    def tell(self, token: str) -> None:
        """
        Send a message to the channel.
        """
        self.say(CHANNEL, token)
