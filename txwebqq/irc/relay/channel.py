"""
One IRC channel of a room: joins it, joins again after a kick, and sends the
messages of its outbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.irc.config.relay import NetworkSettings
from txwebqq.irc.protocol.clienttags import REACT, REPLY, UNREACT
from txwebqq.irc.protocol.line import Line
from txwebqq.irc.protocol.nicknames import NickStyle, nickFor
from txwebqq.irc.relay.client.joinqueue import JoinQueue
from txwebqq.irc.relay.client.relaymsg import RETRY, RelaymsgPermission
from txwebqq.irc.relay.connection import IRCConnection
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.interactions import reactionText
from txwebqq.irc.relay.members import MemberList
from txwebqq.irc.relay.puppets import Puppets
from txwebqq.irc.relay.registration import REDACTION, RELAYMSG
from txwebqq.irc.relay.room import BridgedRoom
from txwebqq.irc.relay.storage.outbox import MessageKind, OutboxMessage
from txwebqq.irc.relay.text.attribution import nextLine, senderPrefix
from txwebqq.irc.relay.text.mentions import addressed
from txwebqq.irc.relay.text.quotes import quoteOf
from txwebqq.model import Face, Text
from txwebqq.net.pacing import Pacer

ORIGIN_TAG = "+txwebqq/origin"
"""The client tag with the source of a relayed message, for other relays."""

FIRST_REJOIN, LONGEST_REJOIN = 5.0, 300.0
"""The seconds before the relay joins again after a kick or a refusal, the first
time and at most."""

UNANSWERED = 60.0
"""The seconds after which an unanswered C{JOIN} is sent again."""

SETTLED = 600.0
"""The seconds in a channel, or on a network, after which the next rejoin or
reconnection is as fast as the first one."""

_CANNOT_SEND = "404"
"""The numeric for a channel to which the relay may send nothing at all."""


class ChannelLink:
    """
    A channel that the relay is in, or tries to join.

    @ivar source: the name of the channel in origins and of its outbox queue.
    @ivar members: the other users in the channel, without puppets.
    """

    isChannel = True
    account = 0
    accountSpace = ""
    _log = Logger()

    def __init__(
        self,
        settings: NetworkSettings,
        name: str,
        key: str,
        room: BridgedRoom,
        clock: IReactorTime,
        pacer: Pacer,
        puppets: Puppets,
    ) -> None:
        self.name = name
        self.room = room
        self.puppets = puppets
        self.source = f"irc/{settings.name}/{name}"
        self.members = MemberList(clock.seconds)
        # The zero width space would be four bytes of garbage for clients of GBK.
        self.isQuiet = settings.encoding == "utf-8"
        self._settings = settings
        self._key = key
        self._clock = clock
        self._pacer = pacer
        self._connection: IRCConnection | None = None
        self._isJoined = False
        self._names: list[str] = []
        self._since = 0.0
        self._delay = FIRST_REJOIN
        self._retry: IDelayedCall | None = None
        self._permission = RelaymsgPermission(clock.seconds)
        self._joins: JoinQueue | None = None

    @property
    def title(self) -> str:
        return self.name

    @property
    def isUp(self) -> bool:
        return self._isJoined

    def holdEvents(self) -> Callable[[], None]:
        # IRC servers keep nothing.
        return lambda: None

    def connected(self, connection: IRCConnection, joins: JoinQueue) -> None:
        """
        Join on a connection that was welcomed.
        """
        self._connection = connection
        self._joins = joins
        self._permission.reset()
        self._join()

    def invited(self) -> None:
        """
        A user has invited the relay: join now, if it waits to join again.
        """
        if self._connection is not None and not self._isJoined:
            self._join()

    def privilegesChanged(self) -> None:
        """
        The relay has other privileges in the channel, or on the network.
        """
        self._permission.reset()

    def disconnected(self) -> None:
        """
        The network's connection is lost, or was refused.
        """
        self._connection = self._joins = None
        self._cancelRetry()
        self._reset()

    def stop(self) -> None:
        """
        Do not join again.
        """
        self._cancelRetry()

    def joined(self) -> None:
        """
        The server has answered our C{JOIN}.
        """
        self._isJoined = True
        self._since = self._clock.seconds()
        self._cancelRetry()
        self._log.info(
            "{network}: joined {channel}.",
            network=self._settings.name,
            channel=self.name,
        )
        self.room.availabilityChanged(self)

    def removed(self) -> None:
        """
        The relay was kicked, or made to part.
        """
        self._log.warn(
            "{network}: the relay was removed from {channel}; joining again in"
            " {delay} s.",
            network=self._settings.name,
            channel=self.name,
            delay=self._nextDelay(),
        )
        self._reset()
        self._joinLater()

    def joinRefused(self, reason: str) -> None:
        """
        The server has refused our C{JOIN}.
        """
        self._log.warn(
            "{network}: joining {channel} failed: {reason}; retrying in {delay} s.",
            network=self._settings.name,
            channel=self.name,
            reason=reason,
            delay=self._nextDelay(),
        )
        self._joinLater()

    def addNames(self, nicks: Iterable[str]) -> None:
        """
        Collect nicks of the reply to C{NAMES}.
        """
        self._names += nicks

    def endNames(self, connection: IRCConnection) -> None:
        """
        Replace the members by the nicks that were collected.
        """
        self.members.replace((connection.fold(nick), nick) for nick in self._names)
        self._names = []

    def _reset(self) -> None:
        self.members.replace(())
        self._names = []
        if self._isJoined:
            self._isJoined = False
            self.room.availabilityChanged(self)

    def _join(self) -> None:
        if self._joins is not None:
            self._joins.add(self.name, self._key)
            self._cancelRetry()
            self._retry = self._clock.callLater(UNANSWERED, self._join)

    def _nextDelay(self) -> float:
        isSettled = self._clock.seconds() - self._since > SETTLED
        return FIRST_REJOIN if isSettled else self._delay

    def _joinLater(self) -> None:
        delay = self._nextDelay()
        self._since = self._clock.seconds()
        self._cancelRetry()
        self._retry = self._clock.callLater(delay, self._join)
        self._delay = min(delay * 2, LONGEST_REJOIN)

    def _cancelRetry(self) -> None:
        if self._retry is not None and self._retry.active():
            self._retry.cancel()

    async def deliver(self, message: OutboxMessage) -> str:
        """
        Send the first line of a message: by a puppet, by C{RELAYMSG}, or by
        the relay itself with the author's name before the text.

        @return: the rest of the text, when the server has processed the line;
            fails with L{TargetUnavailable} or L{DeliveryRefused}.
        """
        self._requireJoined()
        try:
            await self._pacer.acquire()
        except CancelledError as e:
            raise TargetUnavailable("the relay is stopping") from e
        connection = self._requireJoined()
        if message.kind is MessageKind.RECALL:
            if await self._redact(connection, message.reply):
                return ""
            message = replace(message, kind=MessageKind.ACTION, reply="")
        message = self._withReferences(connection, message)
        puppet = None
        if message.kind is not MessageKind.SYSTEM:
            puppet = self.puppets.connectionFor(
                message.author, self.name, connection.nickLimit
            )
        if puppet is not None:
            line, rest = self._privmsg(puppet, message, "")
            try:
                msgid = await puppet.sendConfirmed(self.name, line)
            except (TargetUnavailable, DeliveryRefused) as e:
                # There is no event for when the puppet can send again.
                self._log.info(
                    "{network}: the puppet of {author} cannot send to {channel}:"
                    " {reason}; the relay sends in its place.",
                    network=self._settings.name,
                    author=message.author,
                    channel=self.name,
                    reason=str(e),
                )
                self.puppets.mute(message.author)
            else:
                return self._sent(message, msgid, rest)
            if self._requireJoined() is not connection:
                raise TargetUnavailable("the connection was lost")
        if self._mayUseRelaymsg(connection, message):
            line, rest = self._relaymsg(connection, message)
            try:
                msgid = await connection.sendConfirmed(self.name, line)
            except DeliveryRefused as e:
                if e.code == _CANNOT_SEND:
                    raise
                isForName = self._permission.refused(message.author, e.code)
                self._log.warn(
                    "{network}: RELAYMSG for {author} is refused in {channel}:"
                    " {reason}; it is not used for {whom} for {delay} s.",
                    network=self._settings.name,
                    author=message.author,
                    channel=self.name,
                    reason=str(e),
                    whom="this author" if isForName else "all authors",
                    delay=RETRY,
                )
            else:
                self._permission.accepted()
                return self._sent(message, msgid, rest)
        prefix = senderPrefix(message, self.isQuiet)
        line, rest = self._privmsg(connection, message, prefix)
        msgid = await connection.sendConfirmed(self.name, line)
        return self._sent(message, msgid, rest)

    def _sent(self, message: OutboxMessage, msgid: str, rest: str) -> str:
        self.room.copySent(self, message, [msgid] if msgid else [])
        return rest

    def _withReferences(
        self, connection: IRCConnection, message: OutboxMessage
    ) -> OutboxMessage:
        """
        Write the name at the beginning of a message as IRC users do, and quote the
        message that it replies to.
        """

        def nickOf(name: str) -> str:
            return self.members.names.get(connection.fold(name), "")

        text = message.text
        if message.kind is MessageKind.TEXT:
            text = addressed(text, nickOf)
        replied = self.room.ids.get(message.reply) if message.reply else None
        if replied is not None and not replied.isRecalled:
            text = quoteOf(replied.author, replied.excerpt, text) + text
        return replace(message, text=text)

    async def _redact(self, connection: IRCConnection, origin: str) -> bool:
        """
        Redact a message, if the server can do that.

        @return: whether the server has accepted it.
        """
        ids = self.room.ids.idsIn(self.source, origin)
        if not ids or REDACTION not in connection.capabilities:
            return False
        try:
            for messageId in ids:
                line = Line("REDACT", (self.name, messageId))
                await connection.sendConfirmed(self.name, line)
        except DeliveryRefused as e:
            self._log.info(
                "{network}: REDACT is refused in {channel}: {reason}; a line says that"
                " the message was recalled.",
                network=self._settings.name,
                channel=self.name,
                reason=str(e),
            )
            return False
        return True

    def react(
        self, messageId: str, face: Face | Text, isSet: bool, source: str
    ) -> None:
        connection = self._connection
        tag = REACT if isSet else UNREACT
        if connection is None or not all(map(connection.allowsTag, (tag, REPLY))):
            return
        tags = {tag: reactionText(face), REPLY: messageId, ORIGIN_TAG: source}

        async def react() -> None:
            try:
                await self._pacer.acquire()
            except CancelledError:
                return
            if self._connection is connection and self._isJoined:
                connection.sendLine(Line("TAGMSG", (self.name,), tags=tags))

        Deferred.fromCoroutine(react()).addErrback(
            lambda failure: self._log.failure(
                "Reacting in {target} failed.", failure, target=self.source
            )
        )

    def _requireJoined(self) -> IRCConnection:
        if self._connection is None or not self._isJoined:
            raise TargetUnavailable(f"the relay is not in {self.name}")
        return self._connection

    def _privmsg(
        self, connection: IRCConnection, message: OutboxMessage, prefix: str
    ) -> tuple[Line, str]:
        line = Line("PRIVMSG", (self.name, ""), tags=self._tags(connection, message))
        isAction = message.kind is MessageKind.ACTION and not prefix
        limit = connection.payloadLimit(line)
        return self._filled(line, limit, prefix, message.text, isAction)

    def _mayUseRelaymsg(
        self, connection: IRCConnection, message: OutboxMessage
    ) -> bool:
        isOffered = RELAYMSG in connection.capabilities
        isAllowed = isOffered and self._permission.allows(message.author)
        return isAllowed and message.kind is not MessageKind.SYSTEM

    def _relaymsg(
        self, connection: IRCConnection, message: OutboxMessage
    ) -> tuple[Line, str]:
        separator = (connection.capabilities[RELAYMSG] or "/")[0]
        nick = nickFor(message.author, 0, NickStyle.UTF8, (), limit=24)
        nick += f"{separator}qq"
        tags = self._tags(connection, message)
        line = Line("RELAYMSG", (self.name, nick, ""), tags=tags)
        # Users get it as a PRIVMSG from that nick.
        received = Line("PRIVMSG", (self.name, ""))
        limit = min(
            connection.payloadLimit(line), connection.payloadLimit(received, nick)
        )
        isAction = message.kind is MessageKind.ACTION
        return self._filled(line, limit, "", message.text, isAction)

    def _filled(
        self, line: Line, limit: int, prefix: str, text: str, isAction: bool
    ) -> tuple[Line, str]:
        frame = "\x01ACTION {}\x01" if isAction else "{}"
        encoding = self._settings.encoding
        limit -= len(prefix.encode(encoding, "replace")) + len(frame) - 2
        sent, rest = nextLine(text, limit, encoding)
        last = frame.format(prefix + sent)
        return Line(line.command, (*line.params[:-1], last), tags=line.tags), rest

    def _tags(
        self, connection: IRCConnection, message: OutboxMessage
    ) -> dict[str, str]:
        source, bar, _ = message.origin.partition("|")
        if not bar or "message-tags" not in connection.capabilities:
            return {}
        ids = self.room.ids.idsIn(self.source, message.reply) if message.reply else []
        if ids and connection.allowsTag(REPLY):
            return {ORIGIN_TAG: source, REPLY: ids[0]}
        return {ORIGIN_TAG: source}
