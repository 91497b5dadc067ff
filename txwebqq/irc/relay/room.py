"""
A room: QQ groups and IRC channels, each of which is sent the messages of all
others.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Callable, Iterator
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
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.members import MembershipNotices
from txwebqq.irc.relay.sender import OutboxSender
from txwebqq.irc.relay.storage.outbox import (
    EnqueueResult,
    MessageKind,
    Outbox,
    OutboxMessage,
)
from txwebqq.irc.relay.target import RelayTarget
from txwebqq.irc.relay.text.attribution import linesOf, oneWord, withoutHighlight
from txwebqq.irc.relay.text.loopdetection import LoopDetector
from txwebqq.irc.writequeue import WriteQueue
from txwebqq.ratelimit import RateLimiter

HOLD = 3.0
"""The seconds for which a message that looks relayed is held: it may be a copy
of a message that has not come yet."""

GRACE = 60.0
"""The seconds that a target is unavailable before the other targets are told."""

NOTICES, NOTICES_WINDOW = 1, 600.0
"""The maximum number of notices of one kind about one target, and the seconds
that they are counted in."""

TYPICAL_LIMIT = 380
"""The typical number of bytes that an IRC line has for the text."""


@dataclass(slots=True)
class _Endpoint:
    """
    A target in a room.

    @ivar grace: the timer until the others are told that it is unavailable.
    @ivar isReportedDown: whether they were told.
    """

    target: RelayTarget
    sender: OutboxSender
    notices: MembershipNotices
    grace: IDelayedCall | None = None
    isReportedDown: bool = False


class BridgedRoom:
    """
    Decides what is relayed, writes it to the outbox queues of the other
    targets, and tells them about the state of the relay.

    @param links: makes links of pictures and long texts, L{None} for none.
    """

    _log = Logger()

    def __init__(
        self,
        settings: RoomSettings,
        outbox: Outbox,
        clock: IReactorTime,
        links: MediaLinks | None,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._clock = clock
        self._links = links
        self._endpoints: dict[RelayTarget, _Endpoint] = {}
        self._loopDetector = LoopDetector(clock.seconds)
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
            lambda reason, isDropped: self._deliveryFailed(target, reason, isDropped),
            self._settings.overflow,
        )
        notices = MembershipNotices(
            self._clock,
            lambda name, change: self._sendMembershipNotice(target, name, change),
        )
        self._endpoints[target] = _Endpoint(target, sender, notices)

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
        for endpoint in self._endpoints.values():
            endpoint.notices.stop()
            self._cancelGrace(endpoint)
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
    ) -> None:
        """
        A user sent a message to a channel.

        @param msgid: its C{msgid} tag, or C{""}.
        @param origin: the source of which it is a copy, if its tag names one.
        """
        text = "\n".join(splitLines(stripFormatting(text)))
        if any(origin == each.source for each in self._endpoints):
            self._logCopy(target)
            return
        if not text or self._isLocal(target, nick, text):
            return
        key = msgid or self._newKey()
        kind = MessageKind.ACTION if isAction else MessageKind.TEXT
        self._relay(target, self._message(target, key, nick, text, kind))

    def incompleteGroupMessageReceived(
        self, target: RelayTarget, key: str, name: str, text: str
    ) -> None:
        """
        A member sent a message to a group, and its author or its pictures have
        to be fetched. It is written now, because the next poll confirms it to
        the server; L{groupMessageReceived} completes it.

        @param name: the author's name, C{""} when it is not known yet.
        @param text: the text, without links to pictures.
        """
        if not self._isIgnored(name, text):
            text = "\n".join(splitLines(text))
            message = self._message(target, key, name, text, MessageKind.TEXT)
            self._enqueue(target, replace(message, isReady=False))

    def groupMessageReceived(
        self, target: RelayTarget, number: int, name: str, message: IncomingMessage
    ) -> None:
        """
        A member sent a message to a group, and all of it is known.

        @param number: the author's QQ number.
        """
        with self._logStorageErrors(target):
            text = self._textOf(number, name, message)
            if not text or self._isLocal(target, name, text):
                self._withdraw(target, f"{target.source}|{message.key}")
                return
            action = parseQQAction(text)
            kind = MessageKind.TEXT if action is None else MessageKind.ACTION
            text = text if action is None else action
            self._relay(target, self._message(target, message.key, name, text, kind))

    def _textOf(self, number: int, name: str, message: IncomingMessage) -> str:
        # C{ignore-text} may mean the word that a link replaces.
        if str(number) in self._settings.ignoredNicks or (
            message.pictures and self._isIgnored(name, contentToText(message.content))
        ):
            return ""
        links = [self._linkTo(picture) for picture in message.pictures]
        return "\n".join(splitLines(contentToText(message.content, links)))

    def _linkTo(self, picture: bytes) -> str:
        return self._links.add(picture) or "" if self._links and picture else ""

    def _relay(self, source: RelayTarget, message: OutboxMessage) -> None:
        if not self._loopDetector.isRelayed(message.text, self._memberNames):
            self._forward(source, message)
            return
        self._enqueue(source, replace(message, isReady=False))
        # After the next start it is sent, a copy or not.
        if self._isStopped:
            return

        def release() -> None:
            self._held.discard(held)
            with self._logStorageErrors(source):
                self._forwardUnlessCopy(source, message)

        held = self._clock.callLater(HOLD, release)
        self._held.add(held)

    def _memberNames(self) -> Iterator[str]:
        for target in self._endpoints:
            yield from target.members.names.values()

    def _forwardUnlessCopy(self, source: RelayTarget, message: OutboxMessage) -> None:
        if self._loopDetector.isCopy(message.text):
            self._logCopy(source)
            self._withdraw(source, message.origin)
        else:
            self._forward(source, message)

    def _forward(self, source: RelayTarget, message: OutboxMessage) -> None:
        self._loopDetector.remember(message.author, message.text)
        self._enqueue(source, message)

    def _logCopy(self, source: RelayTarget) -> None:
        self._log.debug(
            "A message in {source} is a copy: not relayed.", source=source.source
        )

    def _isIgnored(self, name: str, text: str) -> bool:
        optOut = self._settings.optOut
        if optOut and text.startswith(optOut):
            return True
        return self._settings.ignores(name, text)

    def _isLocal(self, source: RelayTarget, name: str, text: str) -> bool:
        if self._isIgnored(name, text):
            return True
        if not self._commands.isCommand(text):
            return False
        for line in self._commands.answer(
            text, source.source, source.isQuiet, self._states()
        ):
            self._sendNotice(source, line)
        return True

    def _newKey(self) -> str:
        return f"{self._run}.{next(self._serials)}"

    def _message(
        self, source: RelayTarget, key: str, name: str, text: str, kind: MessageKind
    ) -> OutboxMessage:
        now = int(self._clock.seconds() * 1000)
        author = " ".join(splitLines(name))
        return OutboxMessage("", f"{source.source}|{key}", now, author, text, kind)

    def _others(self, source: RelayTarget) -> list[_Endpoint]:
        return [each for each in self._endpoints.values() if each.target is not source]

    def _enqueue(self, source: RelayTarget, message: OutboxMessage) -> None:
        for endpoint in self._others(source):
            enqueue = partial(self._enqueueFor, source, endpoint, message)
            reason = self._writes.run(message.origin, enqueue)
            if reason and source not in self._releases:
                # QQ servers give their messages again after a crash.
                self._releases[source] = source.holdEvents()
                self._reportUnstored(source, reason, "trying again")

    def _enqueueFor(
        self, source: RelayTarget, endpoint: _Endpoint, message: OutboxMessage
    ) -> None:
        result = self._outbox.enqueue(
            self._fitted(message, endpoint.target, source),
            self._settings.limit,
            self._settings.overflow,
        )
        if result in (EnqueueResult.REFUSED, EnqueueResult.REPLACED):
            self._sendOverflowNotice(source, endpoint.target)
        endpoint.sender.wake()

    def _stored(self) -> None:
        self._log.info("Messages are stored again.")
        while self._releases:
            self._releases.popitem()[1]()

    def _fitted(
        self, message: OutboxMessage, target: RelayTarget, source: RelayTarget
    ) -> OutboxMessage:
        message = replace(message, queue=target.source)
        isLinked = self._settings.longText is LongTextPolicy.LINK
        if self._links is None or not (isLinked and message.isReady):
            return message
        # A line that fits into one channel is sent to another as it is.
        isLong = len(linesOf(message.text, TYPICAL_LIMIT)) > self._settings.lines
        if source.isChannel or not target.isChannel or not isLong:
            return message
        link = self._links.addText(message.text)
        if link is None:
            return message
        start = linesOf(message.text, TYPICAL_LIMIT // 2)[0]
        return replace(message, text=f"{start} … {link}")

    def _withdraw(self, source: RelayTarget, origin: str) -> None:
        self._writes.discard(origin)
        for endpoint in self._others(source):
            self._outbox.withdraw(endpoint.target.source, origin)
            endpoint.sender.wake()

    @contextmanager
    def _logStorageErrors(self, source: RelayTarget) -> Iterator[None]:
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
            except (TargetUnavailable, DeliveryRefused) as e:
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

    def membershipChanged(self, target: RelayTarget, name: str, change: str) -> None:
        """
        An active member joined, left or changed the name.

        @param change: the text of the notice after the name.
        """
        if self._settings.joins and not self._settings.ignores(name, ""):
            self._endpoints[target].notices.add(name, change)

    def _sendMembershipNotice(
        self, target: RelayTarget, name: str, change: str
    ) -> None:
        for endpoint in self._others(target):
            # Such a notice is of no use when it comes late.
            if endpoint.target.isUp:
                shown = oneWord(name)
                if endpoint.target.isQuiet:
                    shown = withoutHighlight(shown)
                self._sendNotice(endpoint.target, f"{shown} {change}")

    def availabilityChanged(self, target: RelayTarget) -> None:
        """
        A target can be sent messages now, or no longer.
        """
        endpoint = self._endpoints[target]
        if target.isUp:
            self._cancelGrace(endpoint)
            if endpoint.isReportedDown:
                endpoint.isReportedDown = False
                self._announce(target, f"{target.title} is reachable again")
            endpoint.sender.wake()
        elif endpoint.isReportedDown or self._isStopped:
            return
        elif endpoint.grace is None or not endpoint.grace.active():
            endpoint.grace = self._clock.callLater(GRACE, self._reportDown, endpoint)

    def _cancelGrace(self, endpoint: _Endpoint) -> None:
        if endpoint.grace is not None and endpoint.grace.active():
            endpoint.grace.cancel()

    def _reportDown(self, endpoint: _Endpoint) -> None:
        target = endpoint.target
        text = f"{target.title} is unreachable; messages for it are queued"
        endpoint.isReportedDown = self._announce(target, text, "down")

    def _deliveryFailed(
        self, target: RelayTarget, reason: str, isDropped: bool
    ) -> None:
        state = "was dropped" if isDropped else "is delayed"
        self._log.warn(
            "Delivery to {target} failed: {reason}; the message {state}.",
            target=target.source,
            reason=reason,
            state=state,
        )
        text = f"A message to {target.title} {state}: {reason}"
        self._announce(target, text, state)

    def _sendOverflowNotice(self, source: RelayTarget, target: RelayTarget) -> None:
        if not self._limiter.take((source.source, target.source, "full")):
            return
        limit = self._settings.limit
        dropped = {
            OverflowPolicy.REFUSE_NEW: "new messages",
            OverflowPolicy.DROP_OLDEST: "the oldest messages",
        }[self._settings.overflow]
        self._log.warn(
            "The queue for {target} is full ({limit} messages): {dropped} are dropped.",
            target=target.source,
            limit=limit,
            dropped=dropped,
        )
        text = f"The queue for {target.title} is full ({limit} messages): {dropped}"
        self._sendNotice(source, f"{text} are dropped until there is space")

    def _announce(self, about: RelayTarget, text: str, kind: str = "") -> bool:
        if kind and not self._limiter.take((about.source, kind)):
            return False
        for endpoint in self._others(about):
            self._sendNotice(endpoint.target, text)
        return True

    def _sendNotice(self, target: RelayTarget, text: str) -> None:
        text = "\n".join(splitLines(text))
        message = self._message(target, self._newKey(), "", text, MessageKind.SYSTEM)
        with self._logStorageErrors(target):
            self._outbox.enqueue(
                replace(message, queue=target.source),
                self._settings.limit,
                OverflowPolicy.REFUSE_NEW,
            )
        self._endpoints[target].sender.wake()
