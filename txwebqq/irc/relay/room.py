"""
A room: QQ groups and IRC channels, each of which is sent the messages of all
others.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from txwebqq.irc.config.policies import LongTextPolicy, OverflowPolicy
from txwebqq.irc.config.relay import RoomSettings
from txwebqq.irc.protocol.formatting import stripFormatting
from txwebqq.irc.protocol.splitting import splitLines
from txwebqq.irc.qq.content import contentToText, parseQQAction
from txwebqq.irc.qq.medialinks import MediaLinks
from txwebqq.irc.qq.messages import IncomingMessage
from txwebqq.irc.relay.commands import RoomCommands, TargetState
from txwebqq.irc.relay.errors import DeliveryFailed
from txwebqq.irc.relay.interactions import RoomInteractions
from txwebqq.irc.relay.notices import NOTICES, NOTICES_WINDOW, RoomNotices
from txwebqq.irc.relay.sender import OutboxSender
from txwebqq.irc.relay.storage.messageids import MessageIds, RelayedMessage
from txwebqq.irc.relay.storage.outbox import (
    EnqueueResult,
    MessageKind,
    Outbox,
    OutboxMessage,
)
from txwebqq.irc.relay.target import RelayTarget
from txwebqq.irc.relay.text.longtexts import linked
from txwebqq.irc.relay.text.loopdetection import LoopDetector
from txwebqq.irc.relay.text.mentions import resolved
from txwebqq.irc.relay.text.quotes import excerptOf
from txwebqq.irc.writequeue import WriteQueue
from txwebqq.model import Reply
from txwebqq.ratelimit import RateLimiter

HOLD = 3.0
"""The seconds for which a message that looks relayed is held: it may be a copy
of a message that has not come yet."""


@dataclass(slots=True)
class _Endpoint:
    """
    A target in a room.
    """

    target: RelayTarget
    sender: OutboxSender


class BridgedRoom:
    """
    Decides what is relayed, writes it to the outbox queues of the other
    targets, and tells them about the state of the relay.

    @param links: makes links of pictures and long texts, L{None} for none.
    @ivar ids: the ids of the messages in their targets.
    @ivar interactions: passes on recalls, reactions and the like.
    @ivar notices: tells the targets about each other.
    """

    _log = Logger()

    def __init__(
        self,
        settings: RoomSettings,
        outbox: Outbox,
        ids: MessageIds,
        clock: IReactorTime,
        links: MediaLinks | None,
    ) -> None:
        self.ids = ids
        self.notices = RoomNotices(settings, clock, self.sendNotice)
        self.settings = settings
        self._outbox = outbox
        self._clock = clock
        self._links = links
        self._endpoints: dict[RelayTarget, _Endpoint] = {}
        self._loopDetector = detector = LoopDetector(clock.seconds)
        self.interactions = RoomInteractions(self, ids, links, detector, clock.seconds)
        self._limiter = RateLimiter(clock.seconds, NOTICES, NOTICES_WINDOW)
        self._commands = RoomCommands(clock.seconds, settings.limit)
        self._held: set[IDelayedCall] = set()
        # Messages that could not be written, and what ends the holding of their
        # sources.
        self._writes = WriteQueue(clock, settings.limit, self._stored)
        self._releases: dict[RelayTarget, Callable[[], None]] = {}
        # The keys of messages without an id: unique in all runs of the relay.
        self._run = secrets.token_hex(6)
        self._serials = itertools.count(1)
        self._isStopped = False

    def add(self, target: RelayTarget) -> None:
        """
        Add a target to the room.
        """
        sender = OutboxSender(
            target.source,
            self._outbox,
            self._clock,
            target.deliver,
            partial(self.notices.deliveryFailed, target),
            self.settings.overflow,
        )
        self._endpoints[target] = _Endpoint(target, sender)
        self.notices.add(target)

    def targets(self) -> list[RelayTarget]:
        return list(self._endpoints)

    def queues(self) -> list[str]:
        """
        List the names of the outbox queues.
        """
        return [target.source for target in self._endpoints]

    def start(self) -> None:
        """
        Begin to watch which targets are available.
        """
        for target in self._endpoints:
            self.availabilityChanged(target)

    def stop(self) -> Deferred[list[None]]:
        """
        Send nothing more; messages that come are still written to the outbox.

        @return: fires when no message is being sent any more.
        """
        self._isStopped = True
        self.notices.stop()
        for held in self._held:
            held.cancel()
        self._held.clear()
        self._writes.stop()
        return gatherResults([end.sender.stop() for end in self._endpoints.values()])

    def status(self) -> list[str]:
        """
        Describe the state of each target in a line.
        """
        return self._commands.status(self._states())

    def _states(self) -> list[TargetState]:
        return [
            TargetState(
                target.source,
                target.title,
                target.isUp,
                self._outbox.count(target.source),
                tuple(target.members.names.values()),
            )
            for target in self._endpoints
        ]

    def channelMessageReceived(
        self,
        target: RelayTarget,
        nick: str,
        text: str,
        isAction: bool,
        msgid: str,
        origin: str,
        reply: str = "",
    ) -> None:
        """
        A user sent a message to a channel.

        @param msgid: its C{msgid} tag, or C{""}.
        @param origin: the source of which it is a copy, if its tag names one.
        @param reply: the C{msgid} of the message that it replies to, or C{""}.
        """
        text = "\n".join(splitLines(stripFormatting(text)))
        if any(origin == each.source for each in self._endpoints):
            self._logCopy(target)
            return
        if not text or self._isLocal(target, nick, text):
            return
        key = msgid or self.newKey()
        kind = MessageKind.ACTION if isAction else MessageKind.TEXT
        message = self._message(target, key, nick, text, kind)
        replied = self._repliedTo(target, reply)
        message = replace(message, reply=replied.origin if replied else "")
        self._relay(target, message, msgid)

    def incompleteGroupMessageReceived(
        self, target: RelayTarget, key: str, name: str, text: str, messageId: int = 0
    ) -> None:
        """
        A member sent a message to a group, and its author or its pictures have
        to be fetched. It is written now, because the next poll confirms it to
        the server; L{groupMessageReceived} completes it.

        @param name: the author's name, C{""} when it is not known yet.
        @param text: the text, without links to pictures.
        """
        if not self.isIgnored(name, text):
            text = "\n".join(splitLines(text))
            message = self._message(target, key, name, text, MessageKind.TEXT)
            self._enqueue(target, replace(message, isReady=False), str(messageId or ""))

    def groupMessageReceived(
        self, target: RelayTarget, number: int, name: str, message: IncomingMessage
    ) -> None:
        """
        A member sent a message to a group, and all of it is known.

        @param number: the author's QQ number.
        """
        with self.logStorageErrors(target):
            replies = [str(s.id) for s in message.content if isinstance(s, Reply)]
            replied = self._repliedTo(target, replies[0] if replies else "")
            author = replied.author if replied else ""
            content, mentions = resolved(message.content, target.account, author)
            text = self._textOf(number, name, replace(message, content=content))
            if not text or self._isLocal(target, name, text):
                self._withdraw(target, f"{target.source}|{message.key}")
                return
            action = parseQQAction(text)
            kind = MessageKind.TEXT if action is None else MessageKind.ACTION
            text = text if action is None else action
            relayed = replace(
                self._message(target, message.key, name, text, kind),
                reply=replied.origin if replied else "",
                mentions=mentions,
            )
            self._relay(target, relayed, str(message.id or ""))

    def messageWith(self, target: RelayTarget, messageId: str) -> RelayedMessage | None:
        """
        Find a message in a target, or the one of which there is a copy, by its id.
        """
        try:
            return self.ids.find(target.source, messageId) if messageId else None
        except sqlite3.Error:
            # Better a message without its reference than none.
            return None

    def _repliedTo(self, target: RelayTarget, messageId: str) -> RelayedMessage | None:
        found = self.messageWith(target, messageId)
        return None if found is None or found.isRecalled else found

    def _textOf(self, number: int, name: str, message: IncomingMessage) -> str:
        # C{ignore-text} may mean the word that a link replaces.
        if str(number) in self.settings.ignoredNicks or (
            message.pictures and self.isIgnored(name, contentToText(message.content))
        ):
            return ""
        links = [self._linkTo(picture) for picture in message.pictures]
        return "\n".join(splitLines(contentToText(message.content, links)))

    def _linkTo(self, picture: bytes) -> str:
        return self._links.add(picture) or "" if self._links and picture else ""

    def relayText(
        self, source: RelayTarget, key: str, name: str, text: str, kind: MessageKind
    ) -> None:
        with self.logStorageErrors(source):
            message = self._message(source, key or self.newKey(), name, text, kind)
            self._forward(source, message, "")

    def _relay(
        self, source: RelayTarget, message: OutboxMessage, messageId: str
    ) -> None:
        if not self._loopDetector.isRelayed(message.text, self._memberNames):
            self._forward(source, message, messageId)
            return
        self._enqueue(source, replace(message, isReady=False), messageId)
        # After the next start it is sent, a copy or not.
        if self._isStopped:
            return

        def release() -> None:
            self._held.discard(held)
            with self.logStorageErrors(source):
                self._forwardUnlessCopy(source, message, messageId)

        held = self._clock.callLater(HOLD, release)
        self._held.add(held)

    def _memberNames(self) -> Iterator[str]:
        for target in self._endpoints:
            yield from target.members.names.values()

    def _forwardUnlessCopy(
        self, source: RelayTarget, message: OutboxMessage, messageId: str
    ) -> None:
        if self._loopDetector.isCopy(message.text):
            self._logCopy(source)
            self._withdraw(source, message.origin)
        else:
            self._forward(source, message, messageId)

    def _forward(
        self, source: RelayTarget, message: OutboxMessage, messageId: str
    ) -> None:
        self._loopDetector.remember(message.author, message.text)
        self._enqueue(source, message, messageId)

    def _logCopy(self, source: RelayTarget) -> None:
        self._log.debug(
            "A message in {source} is a copy: not relayed.", source=source.source
        )

    def isIgnored(self, name: str, text: str) -> bool:
        optOut = self.settings.optOut
        if optOut and text.startswith(optOut):
            return True
        return self.settings.ignores(name, text)

    def _isLocal(self, source: RelayTarget, name: str, text: str) -> bool:
        if self.isIgnored(name, text):
            return True
        if not self._commands.isCommand(text):
            return False
        for line in self._commands.answer(
            text, source.source, source.isQuiet, self._states()
        ):
            self.sendNotice(source, line)
        return True

    def newKey(self) -> str:
        """
        Make a key that no message of any run of the relay has.
        """
        return f"{self._run}.{next(self._serials)}"

    def _message(
        self, source: RelayTarget, key: str, name: str, text: str, kind: MessageKind
    ) -> OutboxMessage:
        now = int(self._clock.seconds() * 1000)
        author = " ".join(splitLines(name))
        return OutboxMessage("", f"{source.source}|{key}", now, author, text, kind)

    def _others(self, source: RelayTarget) -> list[_Endpoint]:
        return [each for each in self._endpoints.values() if each.target is not source]

    def _enqueue(
        self, source: RelayTarget, message: OutboxMessage, messageId: str
    ) -> None:
        for endpoint in self._others(source):
            enqueue = partial(self._enqueueFor, source, endpoint, message, messageId)
            reason = self._writes.run(message.origin, enqueue)
            if reason and source not in self._releases:
                # QQ servers give their messages again after a crash.
                self._releases[source] = source.holdEvents()
                self._reportUnstored(source, reason, "trying again")

    def enqueueFor(self, target: RelayTarget, message: OutboxMessage) -> None:
        now = int(self._clock.seconds() * 1000)
        message = replace(message, queue=target.source, time=now)
        endpoint = self._endpoints[target]

        def enqueue() -> None:
            limit = self.settings.limit
            self._outbox.enqueue(message, limit, OverflowPolicy.REFUSE_NEW)
            endpoint.sender.wake()

        self._writes.run(message.origin, enqueue)

    def discard(self, target: RelayTarget, origin: str) -> None:
        self._writes.discard(origin)
        self._outbox.remove(target.source, origin)
        self._endpoints[target].sender.wake()

    def copySent(
        self, target: RelayTarget, message: OutboxMessage, ids: Sequence[str]
    ) -> None:
        """
        A target has accepted a message, or a part of one.

        @param ids: the ids there, none when the target does not tell.
        """
        if message.serial and message.kind in (MessageKind.TEXT, MessageKind.ACTION):
            # It is sent, so an error must not let it be sent again.
            with self.logStorageErrors(target):
                self.ids.recordSent(target.source, message.origin, ids)
                self.interactions.copySent(target, message.origin)

    def _enqueueFor(
        self,
        source: RelayTarget,
        endpoint: _Endpoint,
        message: OutboxMessage,
        messageId: str,
    ) -> None:
        excerpt = excerptOf(message.text)
        self.ids.record(
            RelayedMessage(
                message.origin, source.source, message.author, excerpt, False
            ),
            messageId,
            message.time,
        )
        result = self._outbox.enqueue(
            self._fitted(message, endpoint.target, source),
            self.settings.limit,
            self.settings.overflow,
        )
        if result in (EnqueueResult.REFUSED, EnqueueResult.REPLACED):
            self.notices.overflowed(source, endpoint.target)
        endpoint.sender.wake()

    def _stored(self) -> None:
        self._log.info("Messages are stored again.")
        while self._releases:
            self._releases.popitem()[1]()

    def _fitted(
        self, message: OutboxMessage, target: RelayTarget, source: RelayTarget
    ) -> OutboxMessage:
        message = replace(message, queue=target.source)
        if message.mentions and source.accountSpace != target.accountSpace:
            mentions = tuple((0, name) for _, name in message.mentions)
            message = replace(message, mentions=mentions)
        isLinked = self.settings.longText is LongTextPolicy.LINK
        # A line that fits into one channel is sent to another as it is.
        isFromGroup = target.isChannel and not source.isChannel
        if self._links is None or not (isLinked and message.isReady and isFromGroup):
            return message
        text = linked(message.text, self.settings.lines, self._links)
        return replace(message, text=text)

    def _withdraw(self, source: RelayTarget, origin: str) -> None:
        self._writes.discard(origin)
        for endpoint in self._others(source):
            self._outbox.withdraw(endpoint.target.source, origin)
            endpoint.sender.wake()

    @contextmanager
    def logStorageErrors(self, source: RelayTarget) -> Iterator[None]:
        # An error of the database must not end the connection as well.
        try:
            yield
        except sqlite3.Error as e:
            self._reportUnstored(source, str(e), "not relayed")

    def _reportUnstored(
        self, source: RelayTarget, reason: str, consequence: str
    ) -> None:
        self._log.error(
            "Storing a message from {source} failed: {reason}; {consequence}.",
            source=source.source,
            reason=reason,
            consequence=consequence,
        )
        if self._limiter.take((source.source, "storage")) and not self._isStopped:
            text = f"Messages cannot be relayed now: {reason}; {consequence}"
            self._sendUnstored(source, text)

    def _sendUnstored(self, target: RelayTarget, text: str) -> None:
        async def send() -> None:
            try:
                await target.deliver(
                    OutboxMessage("", "", 0, "", text, MessageKind.SYSTEM)
                )
            except DeliveryFailed as e:
                self._log.info(
                    "Sending a notice to {target} failed: {reason}; dropped.",
                    target=target.source,
                    reason=str(e),
                )

        Deferred.fromCoroutine(send()).addErrback(
            lambda failure: self._log.failure(
                "Sending a notice to {target} failed.", failure, target=target.source
            )
        )

    def availabilityChanged(self, target: RelayTarget) -> None:
        """
        A target can be sent messages now, or no longer.
        """
        self.notices.availabilityChanged(target)
        if target.isUp:
            self._endpoints[target].sender.wake()

    def sendNotice(self, target: RelayTarget, text: str) -> None:
        text = "\n".join(splitLines(text))
        message = self._message(target, self.newKey(), "", text, MessageKind.SYSTEM)
        with self.logStorageErrors(target):
            self._outbox.enqueue(
                replace(message, queue=target.source),
                self.settings.limit,
                OverflowPolicy.REFUSE_NEW,
            )
        self._endpoints[target].sender.wake()
