"""
One IRC network of the relay: keeps a connection to it, and gives the lines that
come to the channels that they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.clienttags import REACT, UNREACT, repliedTo
from txwebqq.irc.protocol.formatting import parseAction
from txwebqq.irc.protocol.line import Line, isMiddleParam
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.channel import ORIGIN_TAG, SETTLED, ChannelLink
from txwebqq.irc.relay.client.joinqueue import JoinQueue
from txwebqq.irc.relay.client.nickrecovery import NickRecovery
from txwebqq.irc.relay.client.playback import PlaybackFilter
from txwebqq.irc.relay.commands import PrivateMessageResponder
from txwebqq.irc.relay.connection import ConnectionListener, IRCConnection
from txwebqq.irc.relay.puppets import Puppets
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.text.attribution import oneWord
from txwebqq.net.endpoints import NamedEndpoint, clientEndpoint
from txwebqq.net.pacing import Pacer

_SPLITS = frozenset({"netsplit", "netjoin"})
_CHANGING_HOST = ("Changing host", "Changing hostname")
"""The reasons of the C{QUIT} that servers without C{chghost} send before a
C{JOIN} of the same user."""

_REJOIN = 5.0
"""The seconds until that C{JOIN}, at most."""

SLOW = 3600.0
"""The seconds for which lines are sent at a slower pace, after the server has
disconnected the relay for its pace."""

networkBackoff = backoffPolicy(initialDelay=5.0, maxDelay=300.0, factor=2.0)

_CANNOT_JOIN = frozenset(
    {"403", "405", "437", "439", "471", "473", "474", "475", "476", "477", "489", "520"}
)


class IRCNetwork(MultiService, ConnectionListener):
    """
    Connects to one network, again and again, under one nick.

    @ivar pacer: limits the rate of the messages that are sent there.
    """

    _log = Logger()

    def __init__(self, settings: NetworkSettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.pacer = Pacer(reactor, settings.burst, settings.seconds)
        self._clock: IReactorTime = reactor
        self._endpoint = clientEndpoint(settings.endpoint, settings.caFile, reactor)
        self._connection: IRCConnection | None = None
        self._links: list[ChannelLink] = []
        self._attempts = 0
        self._since = 0.0
        self._nick = NickRecovery(settings, reactor, self._sendPaced)
        self._playback = PlaybackFilter(reactor.seconds)
        # The casefolded nicks that have quit only to get another host, and when.
        self._changingHost: dict[str, float] = {}
        self._responder = PrivateMessageResponder(reactor.seconds)
        factory = Factory.forProtocol(
            lambda: IRCConnection(settings, self, reactor, settings.nick)
        )
        factory.noisy = False
        self._client = ClientService(
            NamedEndpoint(f"network {settings.name}", self._endpoint),
            factory,
            retryPolicy=self._delay,
            clock=reactor,
        )
        self._client.setServiceParent(self)

    def _delay(self, attempts: int) -> float:
        # ClientService counts a connection whose registration fails as
        # successful, and would begin with the shortest delay again.
        seconds = float(networkBackoff(min(self._attempts, 20)))
        self._attempts += 1
        return seconds

    def joinChannel(self, name: str, key: str, room: BridgedRoom) -> ChannelLink:
        """
        Create the link of a room to a channel of this network.

        @param key: the channel key, C{""} for none.
        """
        puppets = Puppets(self.settings, self._clock, self._endpoint, key)
        link = ChannelLink(
            self.settings, name, key, room, self._clock, self.pacer, puppets
        )
        self._links.append(link)
        return link

    @property
    def isConnected(self) -> bool:
        """
        Whether the network has welcomed the relay.
        """
        return self._connection is not None

    def stopService(self) -> Deferred[None]:
        """
        Leave the network.

        @return: fires when all connections are closed.
        """
        self._nick.disconnected()
        for link in self._links:
            link.stop()
        if self._connection is not None:
            self._connection.leave("The relay is stopping")

        async def stop() -> None:
            for link in self._links:
                await link.puppets.stop()
            await maybeDeferred(super(IRCNetwork, self).stopService)

        return Deferred.fromCoroutine(stop())

    def welcomed(self, connection: IRCConnection) -> None:
        self._connection = connection
        self._since = self._clock.seconds()
        self._playback = PlaybackFilter(self._clock.seconds)
        self._changingHost.clear()
        self._log.info(
            "{network}: connected as {nick}.",
            network=self.settings.name,
            nick=connection.nick,
        )
        self._nick.connected(connection)

        def join(build: Callable[[], Line | None]) -> None:
            self._whenPaced(connection, build)

        joins = JoinQueue(join, connection.support)
        for link in self._links:
            link.connected(connection, joins)

    def _adaptPace(self, connection: IRCConnection) -> None:
        if "flood" in connection.lossReason.lower():
            self._log.warn(
                "{network}: disconnected for sending too fast; sending a line every"
                " {delay} s for {time} s.",
                network=self.settings.name,
                delay=self.pacer.slowDown(SLOW),
                time=SLOW,
            )

    def _sendPaced(self, line: Line) -> None:
        if self._connection is not None:
            self._whenPaced(self._connection, lambda: line)

    def _whenPaced(
        self, connection: IRCConnection, build: Callable[[], Line | None]
    ) -> None:
        def send(result: None) -> None:
            if self._connection is connection:
                line = build()
                if line is not None:
                    connection.sendLine(line)

        def failed(failure: Failure) -> None:
            # The pacer fails when the relay is stopping.
            if failure.check(CancelledError) is None:
                self._log.failure(
                    "{network}: sending a line failed; the line is dropped.",
                    failure,
                    network=self.settings.name,
                )

        self.pacer.acquire().addCallback(send).addErrback(failed)

    def disconnected(self, connection: IRCConnection) -> None:
        if self._connection is connection:
            self._connection = None
            self._adaptPace(connection)
            if self._clock.seconds() - self._since > SETTLED:
                self._attempts = 0
        self._nick.disconnected()
        for link in self._links:
            link.disconnected()

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        self._playback.lineReceived(line)
        # A bouncer plays back messages that were relayed when they came.
        channel = connection.fold(line.params[0]) if line.params else ""
        if line.command != "BATCH" and self._playback.isPlayedBack(line, channel):
            return
        self._nick.lineReceived(connection, line)
        handle = getattr(self, f"irc_{line.command}", None)
        if handle is not None:
            handle(connection, line)
        elif line.command in _CANNOT_JOIN and len(line.params) > 2:
            for link in self._linksTo(connection, line.params[1]):
                if not link.isUp:
                    link.joinRefused(line.params[-1])

    def _linksTo(
        self, connection: IRCConnection, channel: str
    ) -> Sequence[ChannelLink]:
        found = [
            link
            for link in self._links
            if connection.fold(link.name) == connection.fold(channel)
        ]
        # Some servers fold more characters than their CASEMAPPING says.
        return found or [
            link
            for link in self._links
            if casefold(link.name, "utf-8") == casefold(channel, "utf-8")
        ]

    def _isOurs(self, connection: IRCConnection, nick: str) -> bool:
        return connection.isMe(nick) or any(
            link.puppets.hasNick(nick, connection.fold) for link in self._links
        )

    def irc_470(self, connection: IRCConnection, line: Line) -> None:
        """
        C{470 <nick> <channel> <other channel> :Forwarding to another channel}.
        """
        # Relaying to the channel of a forward would show a room to strangers.
        _, wanted, other, *_ = line.params
        for link in self._linksTo(connection, wanted):
            if isMiddleParam(other) and not any(self._linksTo(connection, other)):
                connection.sendLine(Line("PART", (other,)))
            link.joinRefused(f"the server forwards to {other}")

    def irc_JOIN(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> JOIN <channel>}.
        """
        key = connection.fold(line.nick)
        for link in self._linksTo(connection, line.params[0]):
            if connection.isMe(line.nick):
                self._playback.joined(connection.fold(line.params[0]))
                link.joined()
            elif not self._isOurs(connection, line.nick):
                link.members.add(key, line.nick)
                quitAt = self._changingHost.get(key, -_REJOIN)
                if self._clock.seconds() - quitAt >= _REJOIN:
                    self._changed(connection, link, line, line.nick, "has joined")

    def irc_INVITE(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> INVITE <nick> <channel>}.
        """
        if connection.isMe(line.params[0]):
            for link in self._linksTo(connection, line.params[1]):
                link.invited()

    def irc_MODE(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> MODE <channel> <modes> [<nick>...]}.
        """
        if any(connection.isMe(param) for param in line.params[2:]):
            for link in self._linksTo(connection, line.params[0]):
                link.privilegesChanged()

    def irc_381(self, connection: IRCConnection, line: Line) -> None:
        """
        C{381 <nick> :You are now an IRC operator} (C{RPL_YOUREOPER}).
        """
        for link in self._links:
            link.privilegesChanged()

    def irc_353(self, connection: IRCConnection, line: Line) -> None:
        """
        C{353 <nick> <symbol> <channel> :<nicks>} (C{RPL_NAMREPLY}).
        """
        for link in self._linksTo(connection, line.params[2]):
            _, _, symbols = connection.support.get("PREFIX", "").rpartition(")")
            nicks = [
                word.lstrip(symbols or "~&@%+!*").partition("!")[0]
                for word in line.params[3].split()
            ]
            link.addNames(nick for nick in nicks if not self._isOurs(connection, nick))

    def irc_366(self, connection: IRCConnection, line: Line) -> None:
        """
        C{366 <nick> <channel> :End of NAMES list} (C{RPL_ENDOFNAMES}).
        """
        for link in self._linksTo(connection, line.params[1]):
            link.endNames(connection)

    def irc_PART(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> PART <channel> [:<reason>]}.
        """
        for link in self._linksTo(connection, line.params[0]):
            self._left(connection, link, line, line.nick, "has left")

    def irc_KICK(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> KICK <channel> <kicked nick> [:<reason>]}.
        """
        for link in self._linksTo(connection, line.params[0]):
            change = f"was kicked by {oneWord(line.nick)}"
            self._left(connection, link, line, line.params[1], change)

    def _left(
        self,
        connection: IRCConnection,
        link: ChannelLink,
        line: Line,
        nick: str,
        change: str,
    ) -> None:
        if connection.isMe(nick):
            link.removed()
        elif link.members.remove(connection.fold(nick)):
            self._changed(connection, link, line, nick, change)

    def _changed(
        self,
        connection: IRCConnection,
        link: ChannelLink,
        line: Line,
        nick: str,
        change: str,
    ) -> None:
        isActive = link.members.isActive(connection.fold(nick))
        if isActive and self._playback.batchTypeOf(line) not in _SPLITS:
            link.room.notices.membershipChanged(link, nick, change)

    def irc_QUIT(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> QUIT [:<reason>]}.
        """
        key = connection.fold(line.nick)
        isChanging = line.params[-1:] and line.params[-1] in _CHANGING_HOST
        if isChanging:
            now = self._clock.seconds()
            self._changingHost = {
                nick: time
                for nick, time in self._changingHost.items()
                if now - time < _REJOIN
            }
            self._changingHost[key] = now
        for link in self._links:
            if link.members.remove(key) and not isChanging:
                self._changed(connection, link, line, line.nick, "has quit")

    def irc_NICK(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> NICK <new nick>}.
        """
        nick = line.params[0]
        for link in self._links:
            link.puppets.renamed(line.nick, nick, connection.fold)
            key = connection.fold(line.nick)
            if key in link.members.names:
                change = f"is now known as {oneWord(nick)}"
                self._changed(connection, link, line, line.nick, change)
                link.members.rename(key, connection.fold(nick), nick)

    def irc_PRIVMSG(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> PRIVMSG <channel or nick> :<text>}.
        """
        if self._isOurs(connection, line.nick):
            return
        if connection.isMe(line.params[0]):
            self._answer(connection, line)
            return
        if connection.isMe(line.tags.get("draft/relaymsg", "")):
            return
        text = line.params[1]
        action = parseAction(text)
        if text.startswith("\x01") and action is None:
            return
        for link in self._linksTo(connection, line.params[0]):
            link.members.markActive(connection.fold(line.nick))
            said = text if action is None else action
            link.room.channelMessageReceived(
                link,
                line.nick,
                link.puppets.withNames(said, connection.fold),
                action is not None,
                line.tags.get("msgid", ""),
                line.tags.get(ORIGIN_TAG, ""),
                repliedTo(line.tags),
            )

    def irc_TAGMSG(self, connection: IRCConnection, line: Line) -> None:
        """
        C{@+draft/react=<reaction>;+draft/reply=<msgid> :<nick> TAGMSG <channel>}.
        """
        tag = REACT if REACT in line.tags else UNREACT
        msgid, text = repliedTo(line.tags), line.tags.get(tag, "")
        if not (msgid and text) or self._isOurs(connection, line.nick):
            return
        for link in self._linksTo(connection, line.params[0]):
            origin = line.tags.get(ORIGIN_TAG, "")
            who = connection.fold(line.nick)
            interactions = link.room.interactions
            interactions.ircReactionChanged(
                link, msgid, who, text, tag == REACT, origin
            )

    def irc_REDACT(self, connection: IRCConnection, line: Line) -> None:
        """
        C{:<nick> REDACT <channel> <msgid> [:<reason>]}.
        """
        channel, msgid, *_ = line.params
        if self._isOurs(connection, line.nick):
            return
        for link in self._linksTo(connection, channel):
            link.room.interactions.messageRecalled(link, msgid, line.nick)

    def _answer(self, connection: IRCConnection, line: Line) -> None:
        key = connection.fold(line.nick)
        links = [link for link in self._links if key in link.members.names]
        answers = self._responder.answer(
            line.params[1],
            [link.name for link in links],
            lambda: [text for link in links for text in link.room.status()],
        )
        if not isMiddleParam(line.nick):
            return
        limit = connection.payloadLimit(Line("NOTICE", (line.nick, "")))
        for answer in answers:
            text, _ = splitAt(answer, limit, self.settings.encoding)
            self._sendPaced(Line("NOTICE", (line.nick, text)))
