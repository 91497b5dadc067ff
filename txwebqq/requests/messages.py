"""
Requests that send messages, typing notices and window shakes, and set the
presence status.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from msgspec.structs import replace
from twisted.internet.defer import Deferred, DeferredLock, fail

from txwebqq.errors import MessageTooLong, PartlySent, WebQQError
from txwebqq.model import (
    Code,
    Content,
    Font,
    Gid,
    Segment,
    SendOutcome,
    Sent,
    Status,
    Text,
    Uin,
)
from txwebqq.requests.outcomes import outcomeOfSend
from txwebqq.requests.requester import Requester
from txwebqq.requests.splitting import TooLong, splitContent
from txwebqq.wire.command import Command
from txwebqq.wire.commands.messages import (
    InputNotify2,
    SendBuddyMsg2,
    SendQunMsg2,
    Shake2,
)
from txwebqq.wire.content import MAX_TEXT
from txwebqq.wire.form import Ticket

DEFAULT_FONT = Font()

Conversation = tuple[str, int]
"""The kind of a conversation, such as C{"buddy"}, and its session id."""

MakeSend = Callable[[Ticket, Content, int], Command[Sent]]
"""Makes the command that sends a content under a message id."""


Sendable = str | Iterable[Segment | str]
"""A message to send: a text, or segments in order; a C{str} among them is a text."""


def contentOf(content: Sendable) -> Content:
    """
    Make a content from a text or from segments.

    @raise TypeError: for a value of another type, also as a segment.
    @raise ValueError: when there is nothing to send.
    """
    # Callers without a type checker pass other things.
    given: object = (content,) if isinstance(content, str) else content
    if not isinstance(given, Iterable) or isinstance(given, _NO_SEGMENTS):
        raise TypeError(
            f"a message is a str or a list of segments, not {type(given).__name__}"
        )
    segments = tuple(map(_segmentOf, given))
    if not any(segment != _NO_TEXT for segment in segments):
        raise ValueError("a message without content cannot be sent")
    return segments


# Of these, an iteration gives numbers or keys.
_NO_SEGMENTS = (bytes, bytearray, memoryview, Mapping)
_NO_TEXT = Text("")


def _segmentOf(value: object) -> Segment:
    if isinstance(value, str):
        return Text(value)
    if not isinstance(value, Segment):
        raise TypeError(f"{type(value).__name__} is not a segment of a message")
    if isinstance(value, Text) and not isinstance(value.text, str):
        raise TypeError(f"the text of a Text is {type(value.text).__name__}, not str")
    return value


class MessageRequests(Requester):
    """
    Sends messages, typing notices and window shakes, and sets the presence
    status.

    A message that is too long is sent in parts, each after the server accepted
    the part before; later messages to the same conversation wait for the last
    part. With C{tooLong="refuse"} it fails with L{MessageTooLong} instead. When
    the first part fails, so does the send; when a later part fails, it fails
    with L{PartlySent}. A send also fails with L{TypeError} for a content that
    is neither a text nor segments, and with L{ValueError} for one that is empty.

    @cvar longest: the maximum size of one part, in bytes. Later services took
        less than the original one: about 700 is safe everywhere.
    """

    longest: ClassVar[int] = MAX_TEXT

    def sendMessage(
        self,
        uin: Uin,
        content: Sendable,
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[Sent]:
        """
        Send a message to a friend (protocol.md 2.2.2).

        @return: fires with the message's id and time when the server has accepted
            it, which it delivers even to a friend who is offline now. Also fails with
            L{MessageTooLong} or L{PartlySent}.
        """
        return self.sendTo(
            ("buddy", uin),
            content,
            lambda ticket, part, n: SendBuddyMsg2(ticket, uin, part, n, font),
            tooLong,
        )

    def sendGroupMessage(
        self,
        gid: Gid,
        content: Sendable,
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[Sent]:
        """
        Send a message to a group (protocol.md 2.2.3). The server sends no copy
        of it back.

        @return: fires with the message's id and time when the server has accepted
            it. Also fails with L{MessageTooLong} or L{PartlySent}.
        """
        group = self.transport.groups.get(gid)
        code = Code(0) if group is None else group.code
        return self.sendTo(
            ("group", gid),
            content,
            lambda ticket, part, n: SendQunMsg2(ticket, gid, part, n, font, code),
            tooLong,
        )

    def outcome(self, sent: Deferred[Sent]) -> Deferred[SendOutcome]:
        """
        Turn the result of a send into its outcome.

        @return: fires with L{Delivered}, L{Failed} or L{Uncertain}, and never fails.
        """
        return outcomeOfSend(sent)

    def sendTo(
        self,
        conversation: Conversation,
        content: Sendable,
        make: MakeSend,
        tooLong: TooLong = "split",
    ) -> Deferred[Sent]:
        """
        Send a message to any conversation. The other requests that send
        messages call this one.

        @param make: makes the command for one part of the message.
        """
        try:
            parts = splitContent(contentOf(content), self.longest, tooLong)
        except (MessageTooLong, TypeError, ValueError):
            return fail()
        transport = self.transport
        locks = transport.sendLocks
        lock = locks.get(conversation)
        if lock is None:
            if len(parts) == 1:
                return transport.call(make, parts[0], transport.nextMessageId())
            lock = locks[conversation] = DeferredLock()
        held = lock

        def unlock(result: Any) -> Any:
            if not held.locked:
                locks.pop(conversation, None)
            return result

        return held.run(self._sendParts, make, parts).addBoth(unlock)

    def _sendParts(self, make: MakeSend, parts: list[Content]) -> Deferred[Sent]:
        transport = self.transport

        async def send() -> Sent:
            ids: list[int] = []
            sent = Sent()
            for n, part in enumerate(parts):
                try:
                    sent = await transport.call(make, part, transport.nextMessageId())
                except WebQQError as e:
                    if n == 0:
                        raise
                    raise PartlySent(n, len(parts), tuple(parts[n:]), e) from e
                ids.append(sent.messageId)
            return replace(sent, earlier=tuple(ids[:-1]))

        return Deferred.fromCoroutine(send())

    def sendTyping(self, uin: Uin) -> Deferred[None]:
        """
        Tell a friend that this account is typing (protocol.md 2.2.7). Clients
        show it until the next message.

        @return: fires also when the friend is offline.
        """
        return self.transport.call(InputNotify2, uin)

    def shakeWindow(self, uin: Uin) -> Deferred[None]:
        """
        Shake the window of a friend's client (protocol.md 2.2.7).

        @return: fires also when the friend is offline.
        """
        return self.transport.call(Shake2, uin)

    def setStatus(self, status: Status | str) -> Deferred[None]:
        """
        Set the presence status, now and after a rejoin (protocol.md 2.2.8).
        Friends cannot tell L{Status.HIDDEN} from L{Status.OFFLINE}, and neither
        ends the session.

        @param status: a L{Status} or its value.

        @return: also fails with L{ValueError} for an unknown status.
        """
        try:
            wanted = Status(status)
        except ValueError:
            return fail()
        return self.transport.setStatus(wanted)
