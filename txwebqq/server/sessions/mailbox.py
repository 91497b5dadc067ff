"""
The mailbox of a session: events that its next polls are answered with.
"""

from __future__ import annotations

from txwebqq.model import WEB_CLIENT, Number, Status, StatusChange
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.sessionids import SessionIds

MAX_TOGETHER = 100
"""Maximum number of queued events in a poll reply, and of those that a session
keeps in memory."""


class Mailbox:
    """
    Queued events, the last change of each friend's status, and signals.

    The queued events are in the database and in no reply yet; at most
    L{MAX_TOGETHER} of them are in memory. If there are more, each conversation
    has its share of those, so that nobody has to wait behind the messages of
    one sender.

    @ivar more: whether the database may hold other events.
    @ivar presence: the new statuses of friends.
    @ivar transient: signals by ordering key, each with the time at which it is
        dropped, in Unix seconds.
    """

    __slots__ = ("_events", "_isOutdated", "more", "presence", "transient")

    def __init__(self) -> None:
        self._events: list[tuple[int, QueuedEvent]] = []
        self.presence: dict[Number, Status] = {}
        self.transient: dict[tuple[str, int], tuple[float, QueuedEvent]] = {}
        self.more = True
        # Whether the database has a conversation that is not in memory.
        self._isOutdated = False

    def add(self, serial: int, event: QueuedEvent) -> None:
        """
        Add an event that is the last one for the account.
        """
        if self.more or len(self._events) >= MAX_TOGETHER:
            self.more = True
            conversation = event.conversation
            if all(each.conversation != conversation for _, each in self._events):
                self._isOutdated = True
        else:
            self._events.append((serial, event))

    def addTransient(self, event: QueuedEvent, now: float) -> None:
        """
        Add a signal; it replaces an older one of its kind and sender.

        @param now: the time in Unix seconds.
        """
        key = event.conversation
        if key in self.transient or len(self.transient) < MAX_TOGETHER:
            self.transient[key] = now + event.kind.lifetime, event

    def remove(self, serial: int) -> None:
        """
        Remove an event that was deleted from the database.
        """
        self._events = [entry for entry in self._events if entry[0] != serial]

    def forget(self) -> None:
        """
        Forget the queued events in memory, so that they are read from the
        database again.
        """
        self._events = []
        self.more = True

    @property
    def isEmpty(self) -> bool:
        """
        Whether there is nothing to take, as far as is known without a look
        into the database.
        """
        return not (self._events or self.more or self.presence or self.transient)

    @property
    def room(self) -> int:
        """
        The number of queued events to read from the database, 0 for none.
        """
        isLow = len(self._events) < MAX_TOGETHER // 2
        return MAX_TOGETHER if self.more and (isLow or self._isOutdated) else 0

    def load(self, events: list[tuple[int, QueuedEvent]], limit: int) -> None:
        """
        Replace the events by the next ones in the database.

        @param limit: the number of events that was asked for.
        """
        self._events = events
        self.more = len(events) == limit
        self._isOutdated = False

    def take(self, isSorted: bool) -> list[tuple[int, QueuedEvent]]:
        """
        Take out the events in memory, or the first one of each conversation.

        The list ends before a message whose id is in it already, because some
        clients acknowledge messages by their ids alone.

        @param isSorted: whether the client sorts the events of a reply, so that
            the reply may have several ones of a conversation.
        """
        taken: list[tuple[int, QueuedEvent]] = []
        kept: list[tuple[int, QueuedEvent]] = []
        conversations: set[tuple[str, int]] = set()
        messageIds: set[int] = set()
        for position, entry in enumerate(self._events):
            event = entry[1]
            conversation = event.conversation
            if conversation in conversations and not isSorted:
                kept.append(entry)
                continue
            messageId = event.messageId
            if messageId in messageIds:
                kept += self._events[position:]
                break
            conversations.add(conversation)
            taken.append(entry)
            if messageId is not None:
                messageIds.add(messageId)
        self._events = kept
        return taken

    def takePresence(self, sessionIds: SessionIds) -> list[StatusChange]:
        """
        Take out the changes of statuses, with the ids of the session.
        """
        presence, self.presence = self.presence, {}
        return [
            StatusChange(sessionIds.uin(number), status, WEB_CLIENT)
            for number, status in presence.items()
        ]

    def takeTransient(self, now: float) -> list[QueuedEvent]:
        """
        Take out the signals that are not too old.

        @param now: the time in Unix seconds.
        """
        transient, self.transient = self.transient, {}
        return [event for until, event in transient.values() if now < until]
