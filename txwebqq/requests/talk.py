"""
Talking: sends of all kinds, and how we appear.
"""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.defer import Deferred, fail

from txwebqq.model import Content, Font, Gid, Segment, Status, Text, Uin
from txwebqq.requests.asking import Asking
from txwebqq.wire.channel import SendBuddyMsg2, SendQunMsg2

DEFAULT_FONT = Font()


def contentOf(content: str | Iterable[Segment]) -> Content:
    """
    A content from what is convenient to write.
    """
    return (Text(content),) if isinstance(content, str) else tuple(content)


class TalkRequests(Asking):
    """
    What to say, and how to be seen.
    """

    def sendMessage(
        self, uin: Uin, content: str | Iterable[Segment], font: Font = DEFAULT_FONT
    ) -> Deferred[None]:
        """
        Write to a friend (protocol.md 2.2.2).

        @return: fires when the server has accepted the message, which it then
            delivers even to somebody who is offline now. Also fails with
            L{MessageTooLong}.
        """
        return self.transport.call(
            lambda ticket: SendBuddyMsg2(
                ticket, uin, contentOf(content), self.transport.nextMessageId(), font
            )
        )

    def sendGroupMessage(
        self, gid: Gid, content: str | Iterable[Segment], font: Font = DEFAULT_FONT
    ) -> Deferred[None]:
        """
        Write in a group (protocol.md 2.2.3); we get no copy of it.

        @return: fires when the server has accepted the message. Also fails
            with L{MessageTooLong}.
        """
        return self.transport.call(
            lambda ticket: SendQunMsg2(
                ticket, gid, contentOf(content), self.transport.nextMessageId(), font
            )
        )

    def setStatus(self, status: Status | str) -> Deferred[None]:
        """
        Appear otherwise, from now on and after a rejoin (protocol.md 2.2.8).

        @param status: a L{Status} or its word.

        @return: also fails with L{ValueError} for a word that is no status.
        """
        try:
            wanted = Status(status)
        except ValueError:
            return fail()
        return self.transport.appear(wanted)
