"""
Pages of the message history.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from txwebqq.model.contacts import Uin
from txwebqq.model.content import Content, HasContent


@dataclass(frozen=True, slots=True)
class PastMessage(HasContent):
    """
    Something that was said, by us or by others (protocol.md 2.8.2).

    @ivar time: Unix seconds.
    @ivar sequence: its running number in the conversation, with gaps.
    """

    sender: Uin
    time: int
    content: Content
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """
    A page of the conversation with somebody.

    @ivar messages: the oldest first.
    @ivar page: which one it is; page 1 is the oldest.
    @ivar pages: how many there are.
    """

    messages: tuple[PastMessage, ...]
    page: int = 0
    pages: int = 0


@dataclass(frozen=True, slots=True)
class HistoryStretch:
    """
    Some messages of a group or a discussion.

    @ivar messages: the oldest first.
    @ivar first: the running number of the first message, and C{last} of the
        last.
    @ivar place: the code of the group or the did of the discussion.
    @ivar time: when the server was asked, Unix seconds.
    """

    messages: tuple[PastMessage, ...]
    first: int = 0
    last: int = 0
    place: int = 0
    time: int = 0


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """
    A day, in China, on which something was said in a group.

    @ivar first: the running number of the first message, and C{last} of the
        last.
    """

    date: date
    first: int
    last: int
