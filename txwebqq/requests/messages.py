"""
Talking: sends of all kinds, and how we appear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, DeferredLock, fail

from txwebqq.errors import MessageTooLong, PartlySent, WebQQError
from txwebqq.model import Code, Content, Font, Gid, Segment, Status, Text, Uin
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

Place = tuple[str, int]
"""A conversation: what kind it is, and its id."""

MakeSend = Callable[[Ticket, Content, int], Command[None]]
"""What makes a send of a content and a message id."""


def contentOf(content: str | Iterable[Segment]) -> Content:
    """
    A content from what is convenient to write.
    """
    return (Text(content),) if isinstance(content, str) else tuple(content)


class MessageRequests(Requester):
    """
    What to say, and how to be seen.

    What is longer than a message may be goes out in pieces, each after the one
    before it was accepted; whatever is said in the same conversation meanwhile
    waits for the last of them. With C{tooLong="refuse"} it fails with
    L{MessageTooLong} instead. Failures of the first piece are those of any
    send, and later ones L{PartlySent}.

    @cvar longest: the bytes that one piece may have. Later services took less
        than the original one: about 700 is safe everywhere.
    """

    longest: ClassVar[int] = MAX_TEXT

    def sendMessage(
        self,
        uin: Uin,
        content: str | Iterable[Segment],
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[None]:
        """
        Write to a friend (protocol.md 2.2.2).

        @return: fires when the server has accepted the message, which it then
            delivers even to somebody who is offline now. Also fails with
            L{MessageTooLong} or L{PartlySent}.
        """
        return self.sendTo(
            ("buddy", uin),
            content,
            lambda ticket, piece, n: SendBuddyMsg2(ticket, uin, piece, n, font),
            tooLong,
        )

    def sendGroupMessage(
        self,
        gid: Gid,
        content: str | Iterable[Segment],
        font: Font = DEFAULT_FONT,
        tooLong: TooLong = "split",
    ) -> Deferred[None]:
        """
        Write in a group (protocol.md 2.2.3); we get no copy of it.

        @return: fires when the server has accepted the message. Also fails
            with L{MessageTooLong} or L{PartlySent}.
        """
        group = self.transport.groups.get(gid)
        code = Code(0) if group is None else group.code
        return self.sendTo(
            ("group", gid),
            content,
            lambda ticket, piece, n: SendQunMsg2(ticket, gid, piece, n, font, code),
            tooLong,
        )

    def sendTo(
        self,
        place: Place,
        content: str | Iterable[Segment],
        make: MakeSend,
        tooLong: TooLong = "split",
    ) -> Deferred[None]:
        """
        Send to any conversation; the sends above are made of this.

        @param make: makes the send of one piece.
        """
        try:
            pieces = splitContent(contentOf(content), self.longest, tooLong)
        except (MessageTooLong, ValueError):
            return fail()

        def send(piece: Content) -> Deferred[None]:
            return self.transport.call(
                lambda ticket: make(ticket, piece, self.transport.nextMessageId())
            )

        locks = self.transport.sendLocks
        lock = locks.get(place)
        if lock is None and len(pieces) == 1:
            return send(pieces[0])
        if lock is None:
            lock = locks[place] = DeferredLock()
        held = lock

        def done(result: Any) -> Any:
            if not held.locked:
                locks.pop(place, None)
            return result

        return held.run(_sendAll, send, pieces).addBoth(done)

    def sendTyping(self, uin: Uin) -> Deferred[None]:
        """
        Let a friend know that we are typing (protocol.md 2.2.7); clients take
        it back when the next message arrives.

        @return: fires also when the friend is not there.
        """
        return self.transport.call(lambda ticket: InputNotify2(ticket, uin))

    def shakeWindow(self, uin: Uin) -> Deferred[None]:
        """
        Shake a friend's window (protocol.md 2.2.7).

        @return: fires also when the friend is not there.
        """
        return self.transport.call(lambda ticket: Shake2(ticket, uin))

    def setStatus(self, status: Status | str) -> Deferred[None]:
        """
        Appear otherwise, from now on and after a rejoin (protocol.md 2.2.8).
        L{Status.HIDDEN} and L{Status.OFFLINE} look alike to others, and
        neither ends the session.

        @param status: a L{Status} or its word.

        @return: also fails with L{ValueError} for a word that is no status.
        """
        try:
            wanted = Status(status)
        except ValueError:
            return fail()
        return self.transport.setStatus(wanted)


def _sendAll(
    send: Callable[[Content], Deferred[None]], pieces: list[Content]
) -> Deferred[None]:
    async def sendEach() -> None:
        for n, piece in enumerate(pieces):
            try:
                await send(piece)
            except WebQQError as e:
                if n == 0:
                    raise
                raise PartlySent(n, len(pieces), tuple(pieces[n:]), e) from e

    return Deferred.fromCoroutine(sendEach())
