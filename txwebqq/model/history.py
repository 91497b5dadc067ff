"""
Pages of the message history.
"""

from __future__ import annotations

from datetime import date

from txwebqq.model.contacts import Uin
from txwebqq.model.content import Content, HasContent
from txwebqq.values import Value


class PastMessage(Value, HasContent):
    """
    A message of the history, our own or another account's (protocol.md 2.8.2).

    @ivar time: Unix seconds.
    @ivar sequence: the running number in the conversation, with gaps.
    @ivar id: the id of the message in its conversation, 0 where the server does not
        say.
    """

    sender: Uin
    time: int
    content: Content
    sequence: int = 0
    id: int = 0


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
