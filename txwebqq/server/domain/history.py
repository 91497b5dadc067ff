"""
What was said, for those who took part in it.

Messages are noted as they pass and written to the store in batches, so that
noting one costs next to nothing; a server that is killed loses the last moment
of its history, and no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from txwebqq.model import Number
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedformat import decodeQueued
from txwebqq.server.storage.history import (
    DISCUSSION,
    FRIENDS,
    GROUP,
    Conversation,
    HistoryStore,
    HistoryWindow,
    StoredMessage,
)

KEEP = 1000
"""The messages of a conversation that are kept, unless told otherwise."""

DAYS = 90

BATCH = 500
"""The messages that are written at once without being asked to."""

CHUNK = 1000
"""The messages that are forgotten at once for their age."""

DAY = 86400
HOUR = 3600

CHINA = 8 * HOUR
"""Where days begin."""

_MANY_PLACES = 10_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """
    A message of the past.
    """

    sequence: int
    event: QueuedEvent


def placeOf(one: Number, other: Number) -> Conversation:
    """
    The conversation of two people.
    """
    return FRIENDS, min(one, other), max(one, other)


class HistoryRecorder:
    """
    Keeps what is said.

    @ivar keep: the messages of a conversation that are kept; with 0 nothing is
        noted and nothing can be read.
    @ivar days: for how long they are kept.
    @ivar wake: is called when something waits to be written that has not
        before; L{flush} writes it.
    """

    def __init__(self, history: HistoryStore, now: Callable[[], float]) -> None:
        self.keep = KEEP
        self.days = DAYS
        self.wake: Callable[[], object] | None = None
        self._history = history
        self._now = now
        self._unwritten: list[StoredMessage] = []
        # By conversation, what was added since the last look at its length.
        self._grown: dict[Conversation, int] = {}
        self._nextPurge = 0.0

    def record(
        self, event: QueuedEvent, body: str, recipients: Sequence[Number]
    ) -> None:
        """
        Note a message; other letters are not noted.

        @param body: the letter as it is stored.
        """
        if self.keep <= 0 or not event.kind.isMessage:
            return
        match event.conversation:
            case ("group", group):
                conversation = (GROUP, group, 0)
            case ("discussion", discussion):
                conversation = (DISCUSSION, discussion, 0)
            case (_, sender) if recipients:
                conversation = placeOf(Number(sender), recipients[0])
            case _:
                return
        self._unwritten.append(_said(conversation, event, body))
        if len(self._unwritten) >= BATCH:
            self.flush()
        elif len(self._unwritten) == 1 and self.wake is not None:
            self.wake()

    def flush(self) -> None:
        """
        Write what was noted, and forget what is too old or too much.
        """
        noted, self._unwritten = self._unwritten, []
        if noted:
            self._history.record(noted)
        for message in noted:
            self._grown[message.conversation] = (
                self._grown.get(message.conversation, 0) + 1
            )
        # Not at every message: a conversation may exceed its length by a tenth.
        slack = max(20, self.keep // 10)
        for conversation in {said.conversation for said in noted}:
            if self._grown[conversation] >= slack or len(self._grown) > _MANY_PLACES:
                self._history.prune(conversation, self.keep)
                del self._grown[conversation]
        now = self._now()
        if now >= self._nextPurge:
            gone = self._history.purge(self._window.since, CHUNK)
            if gone < CHUNK:
                self._nextPurge = now + HOUR

    @property
    def _window(self) -> HistoryWindow:
        return HistoryWindow(max(self.keep, 0), int(self._now()) - self.days * DAY)

    @property
    def since(self) -> int:
        """
        What was said before this time is forgotten.
        """
        return self._window.since

    # ---- reading

    def pages(self, conversation: Conversation, rows: int) -> int:
        """
        How many pages a conversation has.
        """
        self.flush()
        count = self._history.count(conversation, self._window)
        return (count + rows - 1) // rows

    def page(
        self, conversation: Conversation, page: int, rows: int
    ) -> list[HistoryEntry]:
        """
        A page of a conversation; page 1 is the oldest.
        """
        self.flush()
        offset = (page - 1) * rows
        return _entries(self._history.page(conversation, self._window, offset, rows))

    def between(
        self,
        conversation: Conversation,
        first: int,
        last: int,
        limit: int,
        newest: bool,
    ) -> list[HistoryEntry]:
        """
        Messages by their running numbers.

        @param last: 0 for no end.
        @param newest: which to take when there are more than the limit.
        """
        self.flush()
        bounds = first, last or 2**63 - 1
        found = self._history.between(conversation, self._window, bounds, limit, newest)
        return _entries(found)

    def saidBy(
        self, conversation: Conversation, sender: Number, since: int, limit: int
    ) -> list[HistoryEntry]:
        """
        What somebody has said since a time.
        """
        self.flush()
        window = self._window
        window = HistoryWindow(window.keep, max(window.since, since))
        return _entries(self._history.bySender(conversation, window, sender, limit))

    def dates(self, conversation: Conversation) -> list[tuple[int, int, int]]:
        """
        The days of a conversation, as days since 1970 in China, each with its
        first and last running number.
        """
        self.flush()
        return self._history.days(conversation, self._window, CHINA)


def _said(conversation: Conversation, event: QueuedEvent, body: str) -> StoredMessage:
    return StoredMessage(
        conversation,
        event.details.get("sequence", 0),
        event.ids.time,
        event.ids.sender,
        body,
    )


def _entries(messages: list[StoredMessage]) -> list[HistoryEntry]:
    return [HistoryEntry(m.sequence, decodeQueued(m.body)) for m in messages]
