"""
QQ messages as the lines of one client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from msgspec.structs import replace

from txwebqq.irc.gateway.linebuilder import LineBuilder
from txwebqq.irc.gateway.multiline import MAX_LINES, MULTILINE, MULTILINE_CONCAT
from txwebqq.irc.gateway.storage.message import HistoryMessage
from txwebqq.irc.gateway.user import GatewayUser
from txwebqq.irc.protocol.batch import batch
from txwebqq.irc.protocol.formatting import prefixOf, stripFormatting
from txwebqq.irc.protocol.line import MAX_LINE, Line
from txwebqq.irc.protocol.splitting import splitLines, splitLossless, splitText
from txwebqq.irc.qq.content import ACTION_PREFIX, parseQQAction
from txwebqq.irc.targets import Target, TargetKind


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
        own = builder.nick if message.sender in user.accounts else ""
        key = target, own, builder.encoding, builder.enabled, user.isFormatted

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
        if message.sender in self._user.accounts:
            head = builder.fromUser(message.command, target, " :")
        else:
            head = builder.fromContact(
                message.nick, message.sender, message.command, target, " :"
            )
        tags = {**head.tags, **self._tags(message)}
        if self._isOneLine(head, message.text):
            return [replace(head, params=(target, message.text), tags=tags)]
        text = message.text if isFormatted else stripFormatting(message.text)
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
        rest = {tag: value for tag, value in tags.items() if tag != "msgid"}
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
        return tags

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


def timestamp(time: int) -> str:
    """
    Return a time in the format of C{server-time}.

    @param time: milliseconds since 1970.
    """
    return f"{_second(time // 1000)}.{time % 1000:03}Z"


@lru_cache(maxsize=64)
def _second(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%S}"
