"""
What is said, between an IRC client and QQ.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from twisted.internet.defer import Deferred

from txwebqq.errors import WebQQError
from txwebqq.irc.gateway.directory import ChannelView
from txwebqq.irc.gateway.session import ClientSession
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.protocol.batch import batch
from txwebqq.irc.protocol.casemapping import casefold
from txwebqq.irc.protocol.formatting import (
    fontOf,
    parseAction,
    prefixOf,
    stripFormatting,
)
from txwebqq.irc.protocol.line import MAX_LINE, Line, encodedLength
from txwebqq.irc.protocol.splitting import splitLines, splitLossless, splitText
from txwebqq.irc.qq.content import ACTION_PREFIX, parseQQAction
from txwebqq.irc.targets import SERVICE, Target, TargetKind

MULTILINE, MAX_BYTES, MAX_LINES = "draft/multiline", 8192, 100
"""What a message of several lines may have."""

SHAKE = "\x01SHAKE"
"""The CTCP that shakes a window."""

MAX_TARGETS = 4
"""Whom one may say something to at once."""


class MessageCommands(ClientSession):
    """
    PRIVMSG, and what others say.
    """

    @abstractmethod
    def showChannel(self, channel: ChannelView) -> None:
        """
        A channel is there, or otherwise than it was.
        """

    def show(self, message: HistoryMessage) -> None:
        """
        Somebody said something, now or while nobody was here.
        """
        if self._isWelcome(message.target):
            self.send(self._shown(message))

    def typing(self, nick: str, number: int) -> None:
        """
        Somebody is typing.
        """
        if self._has("message-tags"):
            tags = {"+typing": "active"}
            self.sendLine(
                self.fromContact(nick, number, "TAGMSG", self._nick, tags=tags)
            )

    def _isWelcome(self, target: Target) -> bool:
        if target.kind not in (TargetKind.GROUP, TargetKind.DISCUSSION):
            return True
        if target in self._parted:
            return False
        name = self._known().channelOf(target)
        if casefold(name) not in self._channels:
            # Played back before the account is signed on again.
            self.showChannel(ChannelView(name, target, "", ()))
        return True

    def _shown(self, message: HistoryMessage) -> list[Line]:
        user = self._known()
        isRoom = message.target.kind in (TargetKind.GROUP, TargetKind.DISCUSSION)
        isOwn = message.sender in user.accounts
        if isRoom or isOwn:
            # The latter is what another client of ours said to somebody.
            return self._said(message, self._nameOf(message.target))
        return self._said(message, self._nick)

    def _nameOf(self, target: Target) -> str:
        return self._known().nameOf(target)

    def _said(self, message: HistoryMessage, target: str) -> list[Line]:
        tags = self._tagsOf(message)

        def line(text: str) -> Line:
            if message.sender in self._known().accounts:
                return self.fromUser(message.command, target, text, tags=tags)
            return self.fromContact(
                message.nick, message.sender, message.command, target, text, tags=tags
            )

        isFormatted = self._known().isFormatted
        whole = message.text if isFormatted else stripFormatting(message.text)
        action = parseQQAction(whole)
        room = MAX_LINE - encodedLength(line(" :"), self.encoding)
        if action is not None:
            room -= len("\x01ACTION \x01")
        texts = splitLines(whole if action is None else action, isFormatted)
        if action is None and self._has("batch", "message-tags", MULTILINE):
            parts = [
                _pieces(text, room, self.encoding, splitLossless) for text in texts
            ]
            if 1 < sum(map(len, parts)) <= MAX_LINES:
                return self._together(line(""), parts)
        pieces = [
            line(piece if action is None else f"\x01ACTION {piece}\x01")
            for text in texts
            for piece in _pieces(text, room, self.encoding, splitText)
        ]
        # An id that comes twice is a message that came twice.
        rest = {tag: value for tag, value in tags.items() if tag != "msgid"}
        return [*pieces[:1], *(piece._replace(tags=rest) for piece in pieces[1:])]

    def _together(self, whole: Line, parts: list[list[str]]) -> list[Line]:
        target = whole.params[0]
        said = [
            Line(
                whole.command,
                (target, piece),
                whole.source,
                {f"{MULTILINE}-concat": ""} if count else {},
            )
            for pieces in parts
            for count, piece in enumerate(pieces)
        ]
        reference = self._reference()
        return batch(reference, MULTILINE, (target,), said, whole.source, whole.tags)

    def _tagsOf(self, message: HistoryMessage) -> Mapping[str, str]:
        tags = {}
        if self._has("server-time"):
            tags["time"] = timestamp(message.time)
        if self._has("message-tags") and message.msgid:
            tags["msgid"] = message.msgid
        return tags

    # ---- what the client says

    def _irc_PRIVMSG(self, line: Line) -> Iterable[Line] | Deferred[list[Line]]:
        target, text = (*line.params[:2], "", "")[:2]
        return self._uttered(line.command, target, text)

    def _irc_NOTICE(self, line: Line) -> Iterable[Line] | Deferred[list[Line]]:
        target, text = (*line.params[:2], "", "")[:2]
        return self._uttered(line.command, target, text)

    async def _irc_TAGMSG(self, line: Line) -> Iterable[Line]:
        target = self._known().placeNamed(line.params[0] if line.params else "")
        isTyping = line.tags.get("+typing") == "active"
        if isTyping and target is not None and target.kind is TargetKind.CONTACT:
            # Nobody would want to know that this did not get through.
            with suppress(WebQQError):
                await self._known().type(target)
        return ()

    def _uttered(
        self, command: str, target: str, text: str
    ) -> Iterable[Line] | Deferred[list[Line]]:
        isShake = command == "PRIVMSG" and text.rstrip("\x01") == SHAKE
        if not text:
            asked = [self.numeric("412", "No text to send")]
        elif text.startswith("\x01") and parseAction(text) is None and not isShake:
            return ()
        else:
            return Deferred.fromCoroutine(self._tellAll(command, target, text))
        return asked if command == "PRIVMSG" else ()

    async def _tellAll(self, command: str, names: str, text: str) -> list[Line]:
        # All of them wait for their turn now, so that what is said next to
        # one of them comes later there, too.
        asked: list[Deferred[list[Line]] | Line] = []
        for count, name in enumerate(names.split(",")):
            target = self._known().placeNamed(name)
            if count >= MAX_TARGETS:
                asked.append(self.numeric("407", name[:50], "Too many at once"))
            elif target is None:
                asked.append(self.numeric("401", name[:50], "Nobody here is called so"))
            else:
                telling = self._tell(target, name, text, command)
                asked.append(Deferred.fromCoroutine(telling))
        said: list[Line] = []
        for answer in asked:
            said += [answer] if isinstance(answer, Line) else await answer
        if command == "NOTICE":
            # To answer one with an error is against its rules.
            return [line for line in said if not line.command.isdigit()]
        return said

    async def _tell(
        self, target: Target, name: str, text: str, command: str = "PRIVMSG"
    ) -> list[Line]:
        if target == SERVICE and command == "NOTICE":
            return []
        action = parseAction(text)
        font = fontOf(text if action is None else action)
        words = stripFormatting(text if action is None else f"{ACTION_PREFIX}{action}")
        try:
            if text.rstrip("\x01") == SHAKE:
                await self._known().shake(target)
                return []
            messages = await self._known().say(target, words, self, command, font)
        except WebQQError as e:
            return [self.numeric("404", name, f"It was not delivered: {e}")]
        said: list[Line] = []
        for message in messages:
            if message.sender not in self._known().accounts:
                said += self._shown(message)
            elif self._has("echo-message"):
                said += self._said(message, name)
        return said


def _pieces(
    text: str, room: int, encoding: str, cut: Callable[[str, int, str], Iterable[str]]
) -> list[str]:
    prefix = prefixOf(text)
    rest = text.removeprefix(prefix)
    return [prefix + piece for piece in cut(rest, room - len(prefix), encoding)]


def timestamp(time: int) -> str:
    """
    A moment as IRC writes it.

    @param time: milliseconds since 1970.
    """
    when = datetime.fromtimestamp(time // 1000, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{time % 1000:03}Z"
