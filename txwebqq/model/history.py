"""
Pages of the message history, and the recent conversations.
"""

from __future__ import annotations

from datetime import date

from txwebqq.model.contacts import Uin
from txwebqq.model.content import Content, Face, Font, HasContent, Text
from txwebqq.values import Secret, Value


class Reacted(Value):
    """
    The members of a group who have reacted to a message in the same way.

    @ivar face: an emoticon of QQ, or a Unicode emoji as a text.
    @ivar uins: in the order in which they reacted.
    """

    face: Face | Text
    uins: tuple[Uin, ...]


class PastMessage(Value, HasContent):
    """
    A message of the history, our own or another account's (protocol.md 2.8.2).

    @ivar time: Unix seconds.
    @ivar sequence: the running number in the conversation, with gaps.
    @ivar id: the id of the message in its conversation, 0 where the server does not
        say.
    @ivar messageId: the counter of the sender, by which a friend's own picture is
        fetched; 0 and the default C{font} where the server does not say.
    @ivar reactions: those to a message in a group, where the server says.
    """

    sender: Uin
    time: int
    content: Content
    sequence: int = 0
    id: int = 0
    messageId: int = 0
    font: Font = Font()
    reactions: tuple[Reacted, ...] = ()


class PastFile(Value):
    """
    An offline file of the history, our own or a friend's (protocol.md 2.2.12).

    @ivar size: in bytes.
    @ivar key: the key to download the file with, a secret; C{""} when the server has
        the file no longer, because it has expired or was refused.
    @ivar expires: when the server deletes the file, Unix seconds.
    @ivar time: Unix seconds.
    @ivar isFetched: whether the recipient has downloaded the file, as long as the
        server has it.
    @ivar sequence: the running number in the conversation, in one series with those of
        the messages.
    @ivar id: the id of the file in its conversation, as of L{Sent}.
    @ivar messageId: the counter of the sender, as of L{OfflineFile}.
    """

    sender: Uin
    name: str
    size: int
    key: Secret = ""
    expires: int = 0
    time: int = 0
    isFetched: bool = False
    sequence: int = 0
    id: int = 0
    messageId: int = 0


class HistorySlice(Value):
    """
    Messages of a conversation before or after another message (protocol.md 2.2.12).

    @ivar messages: the oldest first.
    @ivar hasMore: whether there are more in the direction that was asked for: newer
        ones after a message, else older ones.
    @ivar files: the offline files of a friend and ours among the messages, the oldest
        first; their place is told by their C{sequence}.
    """

    messages: tuple[PastMessage, ...]
    hasMore: bool = False
    files: tuple[PastFile, ...] = ()


RECENT_BUDDY, RECENT_GROUP, RECENT_DISCUSSION = range(3)
"""The C{kind} of a L{RecentContact}."""

MANY_UNREAD = 100
"""The number up to which unread messages are counted."""


class RecentContact(Value):
    """
    A conversation with a recent message (protocol.md 2.2.10).

    @ivar kind: L{RECENT_BUDDY}, L{RECENT_GROUP} or L{RECENT_DISCUSSION}.
    @ivar id: the uin of the friend, the code of the group or the did of the
        discussion.
    @ivar unread: the number of messages of others after the last one that was marked
        as read, L{MANY_UNREAD} for that many and more (protocol.md 2.2.12).
    @ivar last: the newest message, L{None} where the server does not say; such a
        server does not count unread messages either.
    @ivar author: the nick of the author of that message in a group or a discussion;
        C{""} where the server does not say.
    """

    kind: int
    id: int
    unread: int = 0
    last: PastMessage | None = None
    author: str = ""


class HistoryPage(Value):
    """
    One page of the history with a friend.

    @ivar messages: the oldest first.
    @ivar page: the page number; page 1 is the oldest.
    @ivar pages: the number of pages.
    """

    messages: tuple[PastMessage, ...]
    page: int = 0
    pages: int = 0


class HistoryStretch(Value):
    """
    A range of the history of a group or a discussion.

    @ivar messages: the oldest first.
    @ivar first: the running number of the first message, C{last} that of the last.
    @ivar place: the code of the group or the did of the discussion.
    @ivar time: the server's time of the reply, Unix seconds.
    """

    messages: tuple[PastMessage, ...]
    first: int = 0
    last: int = 0
    place: int = 0
    time: int = 0


class HistoryDay(Value):
    """
    A day with messages in a group.

    @ivar date: in China's time zone.
    @ivar first: the running number of the first message, C{last} that of the last.
    """

    date: date
    first: int
    last: int
