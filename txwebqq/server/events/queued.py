"""
Events in mailboxes, by permanent numbers.

A queued event is one value for all of its recipients, and is stored as it is
(L{txwebqq.server.events.storedformat}). The ids of a session are put in when
the session takes the event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from txwebqq.model import Content, Event, Font, Number
from txwebqq.server.events.sessionids import SessionIds


@dataclass(frozen=True, slots=True)
class MessageIds:
    """
    The sender, the time and the ids of a message.

    @ivar sender: the number of the account.
    @ivar time: in Unix seconds.
    @ivar messageId: C{msg_id}, which increases from message to message of a
        sender.
    @ivar messageId2: C{msg_id2}, a random number.
    """

    sender: Number
    time: int
    messageId: int
    messageId2: int


NO_IDS = MessageIds(Number(0), 0, 0, 0)
"""The L{MessageIds} of events that are no messages."""

DEFAULT_FONT = Font()


@dataclass(frozen=True, slots=True)
class EventKind:
    """
    A kind of queued events; L{txwebqq.server.events.kinds} has all of them.

    @ivar name: the name under which events of this kind are stored.
    @ivar conversation: the first half of the ordering key.
    @ivar toEvent: makes the event that a session sees.
    @ivar key: the detail that is the second half of the ordering key, C{""} for
        the sender.
    @ivar isMessage: whether the events have ids, a content and a font.
    @ivar isExtension: whether clients without C{ack} do not know the events.
    @ivar required: the details that each event has, and their types.
    @ivar optional: further details, and their defaults.
    @ivar lifetime: the time after which an event is dropped, in seconds; 0 for
        events that are stored until they are acknowledged.
    """

    name: str
    conversation: str
    toEvent: Callable[[QueuedEvent, SessionIds], Event]
    key: str = ""
    isMessage: bool = False
    isExtension: bool = False
    required: Mapping[str, type] = field(default_factory=dict)
    optional: Mapping[str, Any] = field(default_factory=dict)
    lifetime: float = 0.0

    def new(
        self,
        ids: MessageIds = NO_IDS,
        content: Content = (),
        font: Font = DEFAULT_FONT,
        **details: Any,
    ) -> QueuedEvent:
        """
        Return a new event of this kind.

        @raise TypeError: when a detail is missing or unknown.
        """
        complete = {**self.optional, **details}
        if complete.keys() != self.required.keys() | self.optional.keys():
            raise TypeError(f"wrong details of {self.name!r}: {sorted(details)}")
        return QueuedEvent(self, complete, ids, content, font)


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """
    An event on its way to one or more accounts.

    @ivar details: the members that depend on the kind: numbers and texts.
    @ivar ids: the ids of a message or a signal.
    @ivar content: the content of a message, like C{font}.
    """

    kind: EventKind
    details: Mapping[str, Any]
    ids: MessageIds = NO_IDS
    content: Content = ()
    font: Font = DEFAULT_FONT

    @property
    def conversation(self) -> tuple[str, int]:
        """
        The ordering key. A poll reply holds at most one event per
        conversation, because clients disagree about the order within a batch.
        """
        kind = self.kind
        key = self.details[kind.key] if kind.key else self.ids.sender
        return kind.conversation, key

    @property
    def messageId(self) -> int | None:
        """
        The id that clients acknowledge a message by, L{None} for an event that
        is no message.
        """
        return self.ids.messageId if self.kind.isMessage else None

    def event(self, sessionIds: SessionIds) -> Event:
        """
        Return the event with the ids of a session.
        """
        return self.kind.toEvent(self, sessionIds)
