"""
Groups and channels that are one room: who is told what, and what is kept from
them.
"""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

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
from txwebqq.irc.relay.account import GroupLink
from txwebqq.irc.relay.attribution import linesOf, short, withoutHighlight
from txwebqq.irc.relay.channel import ChannelLink
from txwebqq.irc.relay.commands import RoomCommands, TargetState
from txwebqq.irc.relay.errors import DeliveryRefused, TargetUnavailable
from txwebqq.irc.relay.loopdetection import LoopDetector
from txwebqq.irc.relay.members import MemberList, MembershipNotices
from txwebqq.irc.relay.outbox import EnqueueResult, MessageKind, Outbox, OutboxMessage
from txwebqq.irc.relay.sender import OutboxSender
from txwebqq.ratelimit import RateLimiter

HOLD = 3.0
"""The seconds that words which look relayed wait for those that they may be a
copy of."""

GRACE = 60.0
"""The seconds after which people are told that others cannot hear them."""

NEWS, NEWS_WINDOW = 1, 600.0
"""So many lines of one kind about our own state, in so many seconds."""

TYPICAL = 380
"""The bytes of text that a line of IRC has room for, about."""


class RelayTarget(Protocol):
    """
    A channel or a group, as far as a room is concerned.
    """

    members: MemberList

    @property
    def title(self) -> str:
        """
        What people call it.
        """

    @property
    def isUp(self) -> bool:
        """
        Whether we can be heard there.
        """

    async def speak(self, message: OutboxMessage) -> str:
        """
        Say the beginning of something.

        @return: the rest of its text; fails with L{TargetUnavailable} or
            L{DeliveryRefused}.
        """


@dataclass(slots=True)
class _Endpoint:
    """
    A place and the way to it.

    @ivar source: names it in the origin of what is said there, the same for
        all relays.
    @ivar isChannel: whether it is one of IRC.
    """

    target: RelayTarget
    sender: OutboxSender
    source: str
    isChannel: bool
    notices: MembershipNotices
    wait: IDelayedCall | None = None
    isMissed: bool = False


class BridgedRoom:
    """
    One of them.

    @param links: shows pictures and long texts, L{None} for not at all.
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
        self._endpoints: list[_Endpoint] = []
        self._loopDetector = LoopDetector(clock.seconds)
        self._news = RateLimiter(clock.seconds, NEWS, NEWS_WINDOW)
        self._commands = RoomCommands(clock.seconds, settings.limit)
        self._held: set[IDelayedCall] = set()
        self._serials = itertools.count(1)
        # Words without an id of their own are not brought to us twice.
        self._run = secrets.token_hex(6)
        self._isStopped = False

    # ---- the places

    def addChannel(self, link: ChannelLink) -> None:
        """
        A channel is one of the places.
        """
        name = f"irc/{link.network.settings.name}/{link.name}"
        self._add(link, name, True)

    def addGroup(self, groupLink: GroupLink) -> None:
        """
        A group or a discussion is one of the places.
        """
        target = groupLink.group.target
        self._add(groupLink, f"qq/{target.kind.name.lower()}/{target.number}", False)

    def _add(self, target: RelayTarget, source: str, isChannel: bool) -> None:
        sender = OutboxSender(
            source,
            self._outbox,
            self._clock,
            target.speak,
            lambda reason, isGivenUp: self._stuck(endpoint, reason, isGivenUp),
            self._settings.overflow,
        )
        notices = MembershipNotices(
            self._clock, lambda name, how: self._tellMoved(target, name, how)
        )
        endpoint = _Endpoint(target, sender, source, isChannel, notices)
        self._endpoints.append(endpoint)

    def _endpointOf(self, target: RelayTarget) -> _Endpoint:
        [endpoint] = [end for end in self._endpoints if end.target is target]
        return endpoint

    def queues(self) -> list[str]:
        """
        What the lanes are called.
        """
        return [endpoint.sender.name for endpoint in self._endpoints]

    def start(self) -> None:
        """
        Wait for the places; whoever waits too long is told.
        """
        for endpoint in self._endpoints:
            self.changed(endpoint.target)

    def stop(self) -> Deferred[list[None]]:
        """
        Say nothing more; what comes is still kept.

        @return: fires when nothing is being said.
        """
        self._isStopped = True
        for endpoint in self._endpoints:
            endpoint.notices.stop()
            if endpoint.wait is not None and endpoint.wait.active():
                endpoint.wait.cancel()
        for held in list(self._held):
            held.cancel()
        self._held.clear()
        return gatherResults([end.sender.stop() for end in self._endpoints])

    # ---- what happens in channels

    def heard(
        self,
        link: ChannelLink,
        nick: str,
        text: str,
        isAction: bool,
        msgid: str,
        origin: str,
    ) -> None:
        """
        Somebody said something in a channel.
        """
        source = self._endpointOf(link)
        text = "\n".join(splitLines(stripFormatting(text)))
        if origin in [endpoint.source for endpoint in self._endpoints]:
            self._copied(source)
            return
        if not text or self._isLocal(source, nick, text):
            return
        mark = msgid or f"{self._run}.{next(self._serials)}"
        kind = MessageKind.ACTION if isAction else MessageKind.TEXT
        message = self._message(source, mark, nick, text, kind)
        if self._loopDetector.isRelayed(text):
            self._take(source, message, isReady=False)
            self._forwardLater(source, message.origin, nick, text, kind)
            return
        self._loopDetector.heard(nick, text)
        self._take(source, message)

    def _forwardLater(
        self, source: _Endpoint, origin: str, name: str, text: str, kind: MessageKind
    ) -> None:
        # What is kept until we are here again is said then, a copy or not.
        if self._isStopped:
            return

        # The original may be on its way to us by another door.
        def judge() -> None:
            self._held.discard(held)
            with self._logStorageErrors(source):
                self._forwardUnlessCopy(source, origin, name, text, kind)

        held = self._clock.callLater(HOLD, judge)
        self._held.add(held)

    # ---- what happens in groups

    def noticed(self, groupLink: GroupLink, mark: str, name: str, text: str) -> None:
        """
        Somebody said something in a group, and it is kept before we ask who.
        """
        source = self._endpointOf(groupLink)
        if self._isIgnored(name, text):
            return
        message = self._message(
            source, mark, name, "\n".join(splitLines(text)), MessageKind.TEXT
        )
        self._take(source, message, isReady=False)

    def learned(
        self, groupLink: GroupLink, number: int, name: str, message: IncomingMessage
    ) -> None:
        """
        It is known who said it, and what its pictures show.
        """
        source = self._endpointOf(groupLink)
        with self._logStorageErrors(source):
            self._learn(source, number, name, message)

    def _learn(
        self, source: _Endpoint, number: int, name: str, message: IncomingMessage
    ) -> None:
        links = [self._linkTo(picture) for picture in message.pictures]
        text = "\n".join(splitLines(contentToText(message.content, links)))
        origin = f"{source.source}|{message.key}"
        isIgnored = str(number) in self._settings.ignoredNicks
        if not text or isIgnored or self._isLocal(source, name, text):
            self._withdraw(source, origin)
            return

        action = parseQQAction(text)
        kind = MessageKind.TEXT if action is None else MessageKind.ACTION
        judge = (
            self._forwardLater
            if self._loopDetector.isRelayed(text)
            else self._forwardUnlessCopy
        )
        judge(source, origin, name, text if action is None else action, kind)

    def _linkTo(self, picture: bytes) -> str:
        return self._links.keep(picture) or "" if self._links and picture else ""

    def _forwardUnlessCopy(
        self, source: _Endpoint, origin: str, name: str, text: str, kind: MessageKind
    ) -> None:
        if self._loopDetector.isCopy(text):
            self._copied(source)
            self._withdraw(source, origin)
            return
        self._loopDetector.heard(name, text)
        name = " ".join(splitLines(name))
        for endpoint in self._others(source):
            words = self._fitted(text, endpoint)
            self._outbox.resolve(endpoint.sender.name, origin, name, words, kind)
            endpoint.sender.wake()

    def _fitted(self, text: str, endpoint: _Endpoint) -> str:
        if self._links is None or self._settings.longText is LongTextPolicy.BURST:
            return text
        if (
            not endpoint.isChannel
            or len(linesOf(text, TYPICAL)) <= self._settings.lines
        ):
            return text
        link = self._links.keepText(text)
        if link is None:
            return text
        start = linesOf(text, TYPICAL // 2)[0]
        return f"{start} … {link}"

    def _withdraw(self, source: _Endpoint, origin: str) -> None:
        for endpoint in self._others(source):
            self._outbox.withdraw(endpoint.sender.name, origin)
            endpoint.sender.wake()

    def _copied(self, source: _Endpoint) -> None:
        self._log.debug("A copy in {source}: dropped.", source=source.source)

    # ---- what both have

    def moved(self, target: RelayTarget, name: str, how: str) -> None:
        """
        Somebody who speaks came or went, in words that follow the name.
        """
        if not self._settings.joins or self._settings.ignores(name, ""):
            return
        self._endpointOf(target).notices.add(name, how)

    def _tellMoved(self, target: RelayTarget, name: str, how: str) -> None:
        for endpoint in self._others(self._endpointOf(target)):
            # Whoever hears of it late does not care.
            if endpoint.target.isUp:
                shown = (
                    withoutHighlight(short(name)) if endpoint.isChannel else short(name)
                )
                self._say(endpoint, f"{shown} {how}")

    def changed(self, target: RelayTarget) -> None:
        """
        We can be heard there, or not any more.
        """
        endpoint = self._endpointOf(target)
        if target.isUp:
            if endpoint.wait is not None and endpoint.wait.active():
                endpoint.wait.cancel()
            if endpoint.isMissed:
                endpoint.isMissed = False
                self._announce(endpoint, f"{target.title} hears us again")
            endpoint.sender.wake()
        elif endpoint.isMissed or self._isStopped:
            return
        elif endpoint.wait is None or not endpoint.wait.active():
            endpoint.wait = self._clock.callLater(GRACE, self._missed, endpoint)

    def _missed(self, endpoint: _Endpoint) -> None:
        text = f"{endpoint.target.title} cannot be reached; what is said is kept for it"
        endpoint.isMissed = self._announce(endpoint, text, "gone")

    def _stuck(self, endpoint: _Endpoint, reason: str, isGivenUp: bool) -> None:
        what = "could not be said" if isGivenUp else "waits"
        text = f"something {what} in {endpoint.target.title}: {reason}"
        self._log.warn("{text}", text=text)
        self._announce(endpoint, text, f"stuck {isGivenUp}")

    def _announce(self, about: _Endpoint, text: str, kind: str = "") -> bool:
        if kind and not self._news.take((about.source, kind)):
            return False
        for endpoint in self._others(about):
            self._say(endpoint, text)
        return True

    def _say(self, endpoint: _Endpoint, text: str) -> None:
        text = "\n".join(splitLines(text))
        message = self._message(
            endpoint, f"{self._run}.{next(self._serials)}", "", text, MessageKind.SYSTEM
        )
        with self._logStorageErrors(endpoint):
            self._outbox.enqueue(
                self._forEndpoint(message, endpoint),
                self._settings.limit,
                OverflowPolicy.REFUSE_NEW,
            )
        endpoint.sender.wake()

    @contextmanager
    def _logStorageErrors(self, source: _Endpoint) -> Iterator[None]:
        # A full disk is no reason to lose the connection as well.
        try:
            yield
        except sqlite3.Error as e:
            self._log.error(
                "What is said in {place} cannot be kept: {reason}.",
                place=source.source,
                reason=str(e),
            )
            if not self._isStopped and self._news.take((source.source, "unkept")):
                self._shout(source, f"what is said here cannot be kept: {e}")

    def _shout(self, endpoint: _Endpoint, text: str) -> None:
        async def shout() -> None:
            try:
                await endpoint.target.speak(
                    OutboxMessage("", "", 0, "", text, MessageKind.SYSTEM)
                )
            except (TargetUnavailable, DeliveryRefused) as e:
                self._log.info("Nobody could be told: {reason}.", reason=str(e))

        Deferred.fromCoroutine(shout()).addErrback(
            lambda failure: self._log.failure("Nobody could be told.", failure)
        )

    def _forEndpoint(
        self, message: OutboxMessage, endpoint: _Endpoint, isReady: bool = True
    ) -> OutboxMessage:
        return OutboxMessage(
            endpoint.sender.name,
            message.origin,
            message.time,
            message.author,
            message.text,
            message.kind,
            isReady,
        )

    def _message(
        self, source: _Endpoint, mark: str, name: str, text: str, kind: MessageKind
    ) -> OutboxMessage:
        now = int(self._clock.seconds() * 1000)
        author = " ".join(splitLines(name))
        return OutboxMessage("", f"{source.source}|{mark}", now, author, text, kind)

    def _others(self, source: _Endpoint) -> list[_Endpoint]:
        return [endpoint for endpoint in self._endpoints if endpoint is not source]

    def _take(
        self, source: _Endpoint, message: OutboxMessage, isReady: bool = True
    ) -> None:
        settings = self._settings
        for endpoint in self._others(source):
            with self._logStorageErrors(source):
                result = self._outbox.enqueue(
                    self._forEndpoint(message, endpoint, isReady),
                    settings.limit,
                    settings.overflow,
                )
                if result in (EnqueueResult.REFUSED, EnqueueResult.REPLACED):
                    self._full(source, endpoint)
            endpoint.sender.wake()

    def _full(self, source: _Endpoint, endpoint: _Endpoint) -> None:
        if not self._news.take((source.source, endpoint.source, "full")):
            return
        which = {
            OverflowPolicy.REFUSE_NEW: "what is said now does not reach it",
            OverflowPolicy.DROP_OLDEST: "the oldest of it is left out",
        }[self._settings.overflow]
        text = (
            f"{self._settings.limit} messages wait for {endpoint.target.title}:"
            f" {which} until there is room"
        )
        self._log.warn("{text}", text=text)
        self._say(source, text)

    # ---- what stays where it is

    def _isIgnored(self, name: str, text: str) -> bool:
        optOut = self._settings.optOut
        if optOut and text.startswith(optOut):
            return True
        return self._settings.ignores(name, text)

    def _isLocal(self, source: _Endpoint, name: str, text: str) -> bool:
        if self._isIgnored(name, text):
            return True
        if not self._commands.isCommand(text):
            return False
        answer = self._commands.answer(
            text, source.source, source.isChannel, self._states()
        )
        for line in answer:
            self._say(source, line)
        return True

    def status(self) -> list[str]:
        """
        Describe the state of each target in a line.
        """
        return self._commands.status(self._states())

    def _states(self) -> list[TargetState]:
        return [
            TargetState(
                endpoint.source,
                endpoint.target.title,
                endpoint.target.isUp,
                self._outbox.count(endpoint.sender.name),
                tuple(endpoint.target.members.names.values()),
            )
            for endpoint in self._endpoints
        ]
