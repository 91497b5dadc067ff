"""
An IRC network, and our seats in its channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.application.internet import ClientService, backoffPolicy
from twisted.application.service import MultiService
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.formatting import parseAction
from txwebqq.irc.protocol.line import Line, isMiddleParam
from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.protocol.splitting import splitAt
from txwebqq.irc.relay.attribution import nextLine, senderPrefix
from txwebqq.irc.relay.channel import FIRST_REJOIN, ChannelLink, ChannelListener
from txwebqq.irc.relay.commands import PrivateMessageResponder
from txwebqq.irc.relay.connection import IRCConnection
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.outbox import MessageKind, OutboxMessage
from txwebqq.irc.relay.puppets import Puppets
from txwebqq.irc.relay.registration import RELAYMSG
from txwebqq.net.endpoints import clientEndpoint
from txwebqq.net.pacing import Pacer

ORIGIN_TAG = "+txwebqq/origin"
"""Where words were said first, for other relays."""

REGAIN = 60.0
"""The seconds between two attempts to get our nick back."""

LONGEST_REJOIN = 300.0
UNANSWERED = 60.0
"""The seconds after which somebody who has not let us in is asked again."""

SETTLED = 600.0
"""Whoever was in a channel, or on the network, for so long is new to being
kicked."""

_PLAYBACK = frozenset({"chathistory", "znc.in/playback"})
_SPLITS = frozenset({"netsplit", "netjoin"})
_MAX_BATCHES = 100

networkBackoff = backoffPolicy(initialDelay=5.0, maxDelay=300.0, factor=2.0)

_CANNOT_JOIN = frozenset(
    {"403", "405", "437", "439", "471", "473", "474", "475", "476", "477", "489", "520"}
)


class IRCNetwork(MultiService):
    """
    Keeps us in the channels of one network.

    @ivar pacer: how fast we may speak there.
    """

    _log = Logger()

    def __init__(self, settings: NetworkSettings, reactor: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.settings = settings
        self.clock: IReactorTime = reactor
        self.pacer = Pacer(reactor, settings.burst, settings.seconds)
        self._endpoint = clientEndpoint(settings.endpoint, settings.caFile, reactor)
        self._connection: IRCConnection | None = None
        self._links: list[ChannelLink] = []
        self._regaining: IDelayedCall | None = None
        self._puppets: dict[str, Puppets] = {}
        self._isStopped = False
        self._attempts = 0
        self._since = 0.0
        # What each is of; bouncers play back in them what we heard before.
        self._batches: dict[str, str] = {}
        self._responder = PrivateMessageResponder(reactor.seconds)
        self._cannotRelay = False
        factory = Factory.forProtocol(
            lambda: IRCConnection(settings, self, reactor, settings.nick)
        )
        factory.noisy = False
        self._client = ClientService(
            self._endpoint,
            factory,
            retryPolicy=self._delay,
            clock=reactor,
        )
        self._client.setServiceParent(self)

    def _delay(self, attempts: int) -> float:
        # Twisted takes whoever is not let in for connected, and begins anew.
        seconds = float(networkBackoff(min(self._attempts, 20)))
        self._attempts += 1
        return seconds

    def joinChannel(
        self, name: str, key: str, listener: ChannelListener
    ) -> ChannelLink:
        """
        Be in a channel.
        """
        link = ChannelLink(self, name, key, listener)
        self._links.append(link)
        self._puppets[name] = Puppets(self.settings, self.clock, self._endpoint, key)
        return link

    def stopService(self) -> Deferred[None]:
        """
        Leave the network.

        @return: fires when all connections are closed.
        """
        self._isStopped = True
        self._cancel(self._regaining)
        for link in self._links:
            self._cancel(link.retry)
        if self._connection is not None:
            self._connection.leave("The relay is stopping")

        async def stop() -> None:
            for puppets in self._puppets.values():
                await puppets.stop()
            await maybeDeferred(super(IRCNetwork, self).stopService)

        return Deferred.fromCoroutine(stop())

    def _cancel(self, call: IDelayedCall | None) -> None:
        if call is not None and call.active():
            call.cancel()

    # ---- what the connection tells

    def welcomed(self, connection: IRCConnection) -> None:
        """
        We are in.
        """
        self._connection = connection
        self._since = self.clock.seconds()
        self._batches = {}
        self._cannotRelay = False
        self._log.info(
            "{name}: in as {nick}.", name=self.settings.name, nick=connection.nick
        )
        if self.settings.nickserv:
            # They know the nick that is asked for, not the one that we got.
            words = f"IDENTIFY {self.settings.nick} {self.settings.nickserv}"
            if connection.isMe(self.settings.nick):
                words = f"IDENTIFY {self.settings.nickserv}"
            connection.send(Line("PRIVMSG", ("NickServ", words)))
        self._regain()
        for link in self._links:
            self._join(link)

    def left(self, connection: IRCConnection) -> None:
        """
        The connection is gone.
        """
        if self._connection is connection:
            self._connection = None
            if self.clock.seconds() - self._since > SETTLED:
                self._attempts = 0
        self._cancel(self._regaining)
        for link in self._links:
            self._cancel(link.retry)
            self._lost(link)

    def _lost(self, link: ChannelLink) -> None:
        link.members.replace(())
        link.names = []
        if link.isJoined:
            link.isJoined = False
            link.listener.changed(link)

    def _join(self, link: ChannelLink) -> None:
        if self._connection is not None:
            key = (link.key,) if link.key else ()
            self._connection.send(Line("JOIN", (link.name, *key)))
            self._cancel(link.retry)
            link.retry = self.clock.callLater(UNANSWERED, self._join, link)

    def _joinLater(self, link: ChannelLink) -> None:
        if self.clock.seconds() - link.since > SETTLED:
            link.delay = FIRST_REJOIN
        link.since = self.clock.seconds()
        self._cancel(link.retry)
        link.retry = self.clock.callLater(link.delay, self._join, link)
        link.delay = min(link.delay * 2, LONGEST_REJOIN)

    def _regain(self) -> None:
        connection = self._connection
        if connection is None or self._isStopped or self._isNamed(connection):
            return
        if self.settings.nickserv:
            words = f"GHOST {self.settings.nick} {self.settings.nickserv}"
            connection.send(Line("PRIVMSG", ("NickServ", words)))
        connection.send(Line("NICK", (self.settings.nick,)))
        self._regainLater()

    def _isNamed(self, connection: IRCConnection) -> bool:
        wanted = self.settings.nick
        longest = connection.support.get("NICKLEN", "")
        # Servers cut what is too long for them.
        if longest.isdecimal():
            wanted = wanted.encode()[: int(longest)].decode("utf-8", "ignore")
        return connection.isMe(wanted)

    def _regainLater(self) -> None:
        self._cancel(self._regaining)
        self._regaining = self.clock.callLater(REGAIN, self._regain)

    def lineReceived(self, connection: IRCConnection, line: Line) -> None:
        """
        Do what a line wants.
        """
        if self._batchOf(line) in _PLAYBACK and line.command != "BATCH":
            return
        handle = getattr(self, f"_heard_{line.command}", None)
        if handle is not None:
            handle(connection, line)
        elif line.command in _CANNOT_JOIN and len(line.params) > 2:
            for link in self._at(connection, line.params[1]):
                if link.isJoined:
                    continue
                self._log.warn(
                    "{name} does not let us into {channel}: {reason}.",
                    name=self.settings.name,
                    channel=link.name,
                    reason=line.params[-1],
                )
                self._joinLater(link)

    def _batchOf(self, line: Line) -> str:
        return self._batches.get(line.tags.get("batch", ""), "")

    def _heard_BATCH(self, connection: IRCConnection, line: Line) -> None:
        reference = line.params[0]
        if reference.startswith("-"):
            self._batches.pop(reference[1:], None)
        elif len(line.params) > 1 and len(self._batches) < _MAX_BATCHES:
            kind = self._batchOf(line) or line.params[1]
            self._batches[reference[1:]] = kind

    def _heard_470(self, connection: IRCConnection, line: Line) -> None:
        # A room is in the channel that was meant, or in none.
        _, wanted, other, *_ = line.params
        for link in self._at(connection, wanted):
            self._log.warn(
                "{name} sends us from {channel} to {other}, where we do not stay.",
                name=self.settings.name,
                channel=link.name,
                other=other,
            )
            if isMiddleParam(other) and not any(self._at(connection, other)):
                connection.send(Line("PART", (other,)))
            self._joinLater(link)

    def _at(self, connection: IRCConnection, channel: str) -> Iterator[ChannelLink]:
        for link in self._links:
            if connection.fold(link.name) == connection.fold(channel):
                yield link

    def _isOurs(self, connection: IRCConnection, nick: str) -> bool:
        return connection.isMe(nick) or any(
            puppets.isOurs(nick, connection.fold) for puppets in self._puppets.values()
        )

    def _heard_JOIN(self, connection: IRCConnection, line: Line) -> None:
        for link in self._at(connection, line.params[0]):
            if connection.isMe(line.nick):
                link.isJoined = True
                link.since = self.clock.seconds()
                self._cancel(link.retry)
                name = self.settings.name
                self._log.info("{name}: in {at}.", name=name, at=link.name)
                link.listener.changed(link)
            elif not self._isOurs(connection, line.nick):
                link.members.add(connection.fold(line.nick), line.nick)
                self._moved(connection, link, line, line.nick, "has joined")

    def _heard_353(self, connection: IRCConnection, line: Line) -> None:
        for link in self._at(connection, line.params[2]):
            for word in line.params[3].split():
                nick = word.lstrip("~&@%+!*").partition("!")[0]
                if not self._isOurs(connection, nick):
                    link.names.append(nick)

    def _heard_366(self, connection: IRCConnection, line: Line) -> None:
        for link in self._at(connection, line.params[1]):
            link.members.replace((connection.fold(nick), nick) for nick in link.names)
            link.names = []

    def _heard_PART(self, connection: IRCConnection, line: Line) -> None:
        for link in self._at(connection, line.params[0]):
            self._gone(connection, link, line, line.nick, "has left")

    def _heard_KICK(self, connection: IRCConnection, line: Line) -> None:
        for link in self._at(connection, line.params[0]):
            how = f"was kicked by {line.nick}"
            self._gone(connection, link, line, line.params[1], how)

    def _gone(
        self,
        connection: IRCConnection,
        link: ChannelLink,
        line: Line,
        nick: str,
        how: str,
    ) -> None:
        if connection.isMe(nick):
            self._log.warn(
                "{name}: we are not in {channel} any more.",
                name=self.settings.name,
                channel=link.name,
            )
            self._lost(link)
            self._joinLater(link)
        elif link.members.remove(connection.fold(nick)):
            self._moved(connection, link, line, nick, how)

    def _moved(
        self,
        connection: IRCConnection,
        link: ChannelLink,
        line: Line,
        nick: str,
        how: str,
    ) -> None:
        if self._batchOf(line) in _SPLITS:
            return
        if link.members.isActive(connection.fold(nick)):
            link.listener.moved(link, nick, how)

    def _heard_QUIT(self, connection: IRCConnection, line: Line) -> None:
        for link in self._links:
            if link.members.remove(connection.fold(line.nick)):
                self._moved(connection, link, line, line.nick, "has quit")
        self._freed(connection, line.nick)

    def _heard_NICK(self, connection: IRCConnection, line: Line) -> None:
        nick = line.params[0]
        for link in self._links:
            key = connection.fold(line.nick)
            if key in link.members.names:
                self._moved(connection, link, line, line.nick, f"is {nick} now")
                link.members.rename(key, connection.fold(nick), nick)
        if not connection.isMe(nick):
            self._freed(connection, line.nick)
        elif not self._isNamed(connection):
            # Services call us otherwise until we have identified.
            self._regainLater()

    def _freed(self, connection: IRCConnection, nick: str) -> None:
        wanted = self.settings.nick
        if connection.fold(nick) == connection.fold(wanted) and not connection.isMe(
            wanted
        ):
            connection.send(Line("NICK", (wanted,)))

    def _heard_PRIVMSG(self, connection: IRCConnection, line: Line) -> None:
        if self._isOurs(connection, line.nick):
            return
        if connection.isMe(line.params[0]):
            self._asked(connection, line)
            return
        if connection.isMe(line.tags.get("draft/relaymsg", "")):
            return
        text = line.params[1]
        action = parseAction(text)
        if text.startswith("\x01") and action is None:
            return
        for link in self._at(connection, line.params[0]):
            link.members.markActive(connection.fold(line.nick))
            link.listener.heard(
                link,
                line.nick,
                text if action is None else action,
                action is not None,
                line.tags.get("msgid", ""),
                line.tags.get(ORIGIN_TAG, ""),
            )

    def _asked(self, connection: IRCConnection, line: Line) -> None:
        key = connection.fold(line.nick)
        links = [s for s in self._links if key in s.members.names]
        answers = self._responder.answer(
            line.params[1],
            [link.name for link in links],
            lambda: [line for link in links for line in link.listener.status()],
        )
        if not isMiddleParam(line.nick):
            return
        for answer in answers:
            said = Line("NOTICE", (line.nick, ""))
            words, _ = splitAt(
                answer, connection.payloadLimit(said), self.settings.encoding
            )
            connection.send(Line("NOTICE", (line.nick, words)))

    # ---- saying

    async def speak(self, link: ChannelLink, message: OutboxMessage) -> str:
        """
        As L{ChannelLink.speak}.
        """
        if not link.isJoined:
            raise TargetUnavailable(f"we are not in {link.name}")
        try:
            await self.pacer.acquire()
        except CancelledError as e:
            raise TargetUnavailable("we are leaving") from e
        connection = self._connection
        if connection is None or not link.isJoined:
            raise TargetUnavailable(f"we are not in {link.name}")
        voice = None
        if message.kind is not MessageKind.SYSTEM:
            voice = self._puppets[link.name].connectionFor(message.author, link.name)
        if voice is not None:
            line, rest = self._plain(voice, link, message, "")
            try:
                await voice.say(link.name, line)
            except (TargetUnavailable, DeliveryRefused) as e:
                # Nobody would tell us when the puppet can speak again.
                self._log.info("A puppet cannot speak: {reason}.", reason=str(e))
                self._puppets[link.name].mute(message.author)
            else:
                return rest
        if connection is not self._connection or not link.isJoined:
            raise TargetUnavailable(f"we are not in {link.name}")
        if self._mayRelay(connection, message):
            line, rest = self._relayed(connection, link, message)
            try:
                await connection.say(link.name, line)
            except DeliveryRefused as e:
                self._log.warn(
                    "{name} refuses RELAYMSG: {reason}.",
                    name=self.settings.name,
                    reason=str(e),
                )
                self._cannotRelay = True
            else:
                return rest
        line, rest = self._plain(
            connection, link, message, senderPrefix(message, isQuiet=True)
        )
        await connection.say(link.name, line)
        return rest

    def _plain(
        self,
        connection: IRCConnection,
        link: ChannelLink,
        message: OutboxMessage,
        start: str,
    ) -> tuple[Line, str]:
        line = Line("PRIVMSG", (link.name, ""), tags=self._tags(connection, message))
        isAction = message.kind is MessageKind.ACTION and not start
        return self._filled(
            line, connection.payloadLimit(line), start, message.text, isAction
        )

    def _relayed(
        self, connection: IRCConnection, link: ChannelLink, message: OutboxMessage
    ) -> tuple[Line, str]:
        separator = (connection.capabilities[RELAYMSG] or "/")[0]
        nick = (
            nickFor(message.author, 0, NickStyle.UTF8, (), limit=24) + f"{separator}qq"
        )
        line = Line(
            "RELAYMSG", (link.name, nick, ""), tags=self._tags(connection, message)
        )
        seen = Line("PRIVMSG", (link.name, ""))
        isAction = message.kind is MessageKind.ACTION
        room = min(connection.payloadLimit(line), connection.payloadLimit(seen, nick))
        return self._filled(line, room, "", message.text, isAction)

    def _filled(
        self, line: Line, room: int, start: str, text: str, isAction: bool
    ) -> tuple[Line, str]:
        frame = "\x01ACTION {}\x01" if isAction else "{}"
        encoding = self.settings.encoding
        room -= len(start.encode(encoding, "replace")) + len(frame) - 2
        said, rest = nextLine(text, room, encoding)
        words = frame.format(start + said)
        return Line(line.command, (*line.params[:-1], words), tags=line.tags), rest

    def _mayRelay(self, connection: IRCConnection, message: OutboxMessage) -> bool:
        isOffered = RELAYMSG in connection.capabilities and not self._cannotRelay
        return isOffered and message.kind is not MessageKind.SYSTEM

    def _tags(
        self, connection: IRCConnection, message: OutboxMessage
    ) -> dict[str, str]:
        source, bar, _ = message.origin.partition("|")
        if not bar or "message-tags" not in connection.capabilities:
            return {}
        return {ORIGIN_TAG: source}
