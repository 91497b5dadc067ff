"""
QQ messages as the lines of one client.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec.structs import replace

from txwebqq.irc.gateway.capabilities import REDACTION
from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.gateway.multiline import MAX_LINES, MULTILINE, MULTILINE_CONCAT
from txwebqq.irc.gateway.storage.message import OWN_NICK, HistoryMessage
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.batch import batch
from txwebqq.irc.protocol.clienttags import REPLY_TAGS
from txwebqq.irc.protocol.formatting import prefixOf, stripFormatting
from txwebqq.irc.protocol.line import MAX_LINE, Line
from txwebqq.irc.protocol.splitting import splitLines, splitLossless, splitText
from txwebqq.irc.qq.content import ACTION_PREFIX, parseQQAction
from txwebqq.irc.targets import Target, TargetKind

MAX_EXCERPT = 40
"""Maximum length of a quoted text, in characters."""

_ONCE = frozenset({"msgid", *REPLY_TAGS})


class MessageRenderer:
    """
    Renders history messages as lines for one client: with its tags, in lines
    that are short enough, or as a multiline batch.
    """

    def __init__(self, builder: LineBuilder, user: GatewayUser) -> None:
        self._builder = builder
        self._user = user

    def encoded(self, message: HistoryMessage) -> bytes:
        """
        Return the lines of a message as L{render} does, encoded. Clients of the
        user to which the same is sent share them.
        """
        builder, user = self._builder, self._user
        target = self._targetOf(message)
        isOwn = message.sender in user.accounts
        isNamed = isOwn or message.reply or OWN_NICK in message.text
        own = builder.nick if isNamed else ""
        key: tuple[object, ...]
        key = target, own, builder.encoding, builder.enabled, user.isFormatted
        if message.reply:
            key = (*key, user.isQuoting)

        def make() -> tuple[bytes, bool]:
            lines = self.renderTo(target, message)
            # The reference of a batch is the client's.
            isShared = not lines or lines[0].command != "BATCH"
            return builder.encoded(lines), isShared

        return user.lines.get(message, key, make)

    def render(self, message: HistoryMessage) -> list[Line]:
        """
        Return the lines of a message, addressed to its channel or to the
        client.
        """
        return self.renderTo(self._targetOf(message), message)

    def _targetOf(self, message: HistoryMessage) -> str:
        isChannel = message.target.kind in (TargetKind.GROUP, TargetKind.DISCUSSION)
        # A message to a friend that another client of the user has sent is
        # addressed to the friend.
        if isChannel or message.sender in self._user.accounts:
            return self._user.directory.nameOf(message.target)
        return self._builder.nick

    def renderTo(self, target: str, message: HistoryMessage) -> list[Line]:
        """
        Return the lines of a message.

        @param target: the first parameter of the lines.
        """
        builder, isFormatted = self._builder, self._user.isFormatted
        shown = message.text
        if message.reply:
            if message.command == "REDACT":
                return self._redaction(target, message)
            if self._user.isQuoting or not builder.has("message-tags"):
                shown += self._quote(message.reply)
        if OWN_NICK in shown:
            shown = shown.replace(OWN_NICK, builder.nick)
        if message.sender in self._user.accounts:
            head = builder.fromUser(message.command, target, " :")
        else:
            head = builder.fromContact(
                message.nick, message.sender, message.command, target, " :"
            )
        tags = {**head.tags, **self._tags(message)}
        if self._isOneLine(head, shown):
            return [replace(head, params=(target, shown), tags=tags)]
        text = shown if isFormatted else stripFormatting(shown)
        action = parseQQAction(text)
        space = builder.spaceAfter(head)
        if action is not None:
            space -= len("\x01ACTION \x01")
        texts = splitLines(text if action is None else action, isFormatted)
        if action is None and builder.has("batch", "message-tags", MULTILINE):
            split = [
                _parts(each, space, builder.encoding, splitLossless)
                for each in splitLines(text, isFormatted, keepsBlank=True)
            ]
            if 1 < sum(map(len, split)) <= MAX_LINES:
                return self._multiline(head, tags, split)
        parts = [
            part if action is None else f"\x01ACTION {part}\x01"
            for each in texts
            for part in _parts(each, space, builder.encoding, splitText)
        ]
        # A client takes a second line with the same msgid for a duplicate.
        rest = {tag: value for tag, value in tags.items() if tag not in _ONCE}
        return [
            replace(head, params=(target, part), tags=rest if number else tags)
            for number, part in enumerate(parts)
        ]

    def _isOneLine(self, head: Line, text: str) -> bool:
        """
        Check without the work of L{renderTo} whether a text is one line and is
        sent as it is, as nearly all texts are.
        """
        isPlain = text.isprintable() and not text.isspace() and bool(text)
        if not isPlain or text.startswith(ACTION_PREFIX):
            return False
        encoding = self._builder.encoding
        target = head.params[0]
        # ":", three spaces, ":" and CR LF.
        length = len(head.command) + sum(
            len(part.encode(encoding, "replace"))
            for part in (head.source, target, text)
        )
        return length + 7 <= MAX_LINE

    def _multiline(
        self, head: Line, tags: Mapping[str, str], split: Sequence[Sequence[str]]
    ) -> list[Line]:
        target = head.params[0]
        content = [
            Line(
                head.command,
                (target, part),
                head.source,
                {MULTILINE_CONCAT: ""} if number else {},
            )
            for parts in split
            for number, part in enumerate(parts)
        ]
        reference = self._builder.nextReference()
        return batch(reference, MULTILINE, (target,), content, head.source, tags)

    def _tags(self, message: HistoryMessage) -> Mapping[str, str]:
        tags = {}
        if self._builder.has("server-time"):
            tags["time"] = timestamp(message.time)
        if message.msgid and self._builder.has("message-tags"):
            tags["msgid"] = message.msgid
        if message.reply and self._builder.has("message-tags"):
            tags |= self._replyTags(message.reply)
        return tags

    def _replyTags(self, serial: int) -> dict[str, str]:
        return dict.fromkeys(REPLY_TAGS, self._user.history.references.msgid(serial))

    def _quote(self, serial: int) -> str:
        """
        Return the end of a reply, for clients that do not know tags. At the
        beginning it would stand before the nick that is addressed.
        """
        user = self._user
        quoted = user.history.references.withSerial(user.name, serial)
        if quoted is None or not quoted.command:
            return ""
        nick = OWN_NICK if quoted.sender in user.accounts else quoted.nick
        return f" (re {nick}: {_excerpt(quoted.text)})"

    def _redaction(self, target: str, message: HistoryMessage) -> list[Line]:
        """
        Return the lines of a recall: a C{REDACT}, or for clients that do not know it
        a notice.
        """
        builder, user, references = (
            self._builder,
            self._user,
            self._user.history.references,
        )
        if builder.has(REDACTION, "message-tags"):
            params = [target, references.msgid(message.reply)]
            if message.text:
                params.append(message.text)
            line = self._lineFrom(message.sender, message.nick, "REDACT", *params)
            recall = dataclasses.replace(message, reply=0)
            return [replace(line, tags={**line.tags, **self._tags(recall)})]
        recalled = references.withSerial(user.name, message.reply)
        text = "has recalled a message"
        if recalled is not None and recalled.sender != message.sender:
            isOwn = recalled.sender in user.accounts
            text += f" of {OWN_NICK if isOwn else recalled.nick}"
        if recalled is not None and recalled.text:
            text += f": {_excerpt(recalled.text)}"
        if message.text:
            text += f" ({message.text})"
        notice = dataclasses.replace(message, command="NOTICE", text=text, reply=0)
        return self.renderTo(target, notice)

    def mute(
        self, target: Target, member: int, operator: int, isMuted: bool
    ) -> list[Line]:
        """
        Return the C{MODE} of a mute, as L{AttachedClient.showMute
        <txwebqq.irc.gateway.attachedclient.AttachedClient.showMute>}.
        """
        directory, sign = self._user.directory, "+" if isMuted else "-"
        params = [directory.channelOf(target), f"{sign}m"]
        if member:
            params[1:] = [f"{sign}q", self.maskOf(member)]
        if not operator:
            return [self._builder.fromServer("MODE", *params)]
        nick = directory.nameOf(Target(TargetKind.CONTACT, operator))
        return [self._lineFrom(operator, nick, "MODE", *params)]

    def maskOf(self, member: int) -> str:
        """
        Return the mask of a muted member.
        """
        if member in self._user.accounts:
            return f"{self._builder.nick}!*@*"
        nick = self._user.directory.nameOf(Target(TargetKind.CONTACT, member))
        return f"{nick}!*@*"

    def reaction(
        self, message: HistoryMessage, sender: int, nick: str, tag: str, text: str
    ) -> Line:
        """
        Return the C{TAGMSG} of a reaction to a message.
        """
        name = self._user.directory.nameOf(message.target)
        line = self._lineFrom(sender, nick, "TAGMSG", name)
        tags = {**line.tags, tag: text, **self._replyTags(message.serial)}
        return replace(line, tags=tags)

    def _lineFrom(self, sender: int, nick: str, command: str, *params: str) -> Line:
        if sender in self._user.accounts:
            return self._builder.fromUser(command, *params)
        return self._builder.fromContact(nick, sender, command, *params)

    def renderHistory(
        self, target: Target, messages: Sequence[HistoryMessage]
    ) -> list[Line]:
        """
        Return the messages of one conversation, in a C{chathistory} batch.
        """
        content = [line for message in messages for line in self.render(message)]
        name = self._user.directory.nameOf(target)
        return self._builder.batch("chathistory", (name,), content)


def _parts(
    text: str,
    space: int,
    encoding: str,
    split: Callable[[str, int, str], Iterable[str]],
) -> list[str]:
    # Each part begins with the formatting codes of the whole.
    prefix = prefixOf(text)
    rest = text.removeprefix(prefix)
    return [prefix + part for part in split(rest, space - len(prefix), encoding)]


def _excerpt(text: str) -> str:
    words = " ".join(splitLines(stripFormatting(text)))
    words = words.removeprefix(ACTION_PREFIX)
    return words if len(words) <= MAX_EXCERPT else f"{words[: MAX_EXCERPT - 1]}…"


def timestamp(time: int) -> str:
    """
    Return a time in the format of C{server-time}.

    @param time: milliseconds since 1970.
    """
    return f"{_second(time // 1000)}.{time % 1000:03}Z"


@lru_cache(maxsize=64)
def _second(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%S}"
