"""
History of messages: recorded in batches, and read by its participants.

A server that is killed loses up to one batch of its history, but no message: those
are stored apart from it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from txwebqq.model import Number
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedfiles import (
    FileEntry,
    decodeFileEntry,
    encodeFileEntry,
)
from txwebqq.server.events.storedformat import decodeQueued
from txwebqq.server.storage.conversations.history import (
    DISCUSSION,
    FILES,
    FRIENDS,
    GROUP,
    Conversation,
    HistoryStore,
    HistoryWindow,
    StoredMessage,
)

KEEP = 1000
"""Default number of messages that are kept of a conversation."""

DAYS = 90
"""Default time for which messages are kept, in days."""

BATCH = 500
"""Number of messages after which a batch is written immediately."""

MAX_UNWRITTEN = 10_000
"""Number of messages that are kept in memory while the database cannot be written
to; then the oldest are dropped."""

MAX_SEARCHED = 10_000
"""Number of last messages of a conversation among which L{HistoryRecorder.find}
looks."""

MAX_FILES = 100
"""Maximum number of offline files of a L{HistoryPart}."""

CHUNK = 1000
"""Maximum number of old messages that are deleted at a time."""

DAY = 86400
"""A day, in seconds."""

HOUR = 3600
"""An hour, in seconds."""

CHINA = 8 * HOUR
"""The time zone of days, in seconds ahead of UTC."""

MAX_RECENT = 50
"""Maximum number of recent contacts."""

_MANY_CONVERSATIONS = 10_000


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """
    A message of the history, with its number in the conversation.
    """

    sequence: int
    event: QueuedEvent


@dataclass(frozen=True, slots=True)
class HistoryPart:
    """
    Some messages of a conversation, the oldest first, and whether there are more of
    those that were asked for.

    @ivar files: the last L{MAX_FILES} offline files among the messages: after those
        that are left out at the beginning, and before those at the end.
    """

    entries: list[HistoryEntry]
    hasMore: bool
    files: list[tuple[int, FileEntry]]


@dataclass(frozen=True, slots=True)
class FoundMessage:
    """
    A message of the history that was found by its id.
    """

    event: QueuedEvent
    stored: StoredMessage


def conversationOf(one: Number, other: Number) -> Conversation:
    """
    Return the conversation of two accounts.
    """
    return FRIENDS, min(one, other), max(one, other)


def filesOf(conversation: Conversation) -> Conversation:
    """
    Return where the offline files of the conversation of two accounts are.
    """
    _, lower, higher = conversation
    return FILES, lower, higher


class HistoryRecorder:
    """
    Records messages, and reads the history.

    @param now: returns the time in Unix seconds.

    @ivar keep: the number of messages that are kept of a conversation; 0 turns the
        history off.
    @ivar days: the time for which messages are kept, in days.
    @ivar wake: is called when the first message of a batch is recorded; L{flush}
        writes the batch.
    """

    def __init__(self, history: HistoryStore, now: Callable[[], float]) -> None:
        self.keep = KEEP
        self.days = DAYS
        self.wake: Callable[[], object] | None = None
        self._history = history
        self._now = now
        self._unwritten: list[StoredMessage] = []
        # By conversation, the messages since its length was last checked.
        self._grown: dict[Conversation, int] = {}
        self._nextPurge = 0.0

    def record(
        self,
        event: QueuedEvent,
        body: str,
        recipients: Sequence[Number],
        serial: int = 0,
    ) -> None:
        """
        Record an event, if it is a message.

        @param body: the event in its stored form.
        @param serial: the serial number of the event, 0 without recipients.
        """
        if self.keep <= 0 or not event.kind.isMessage:
            return
        match event.conversation:
            case ("group", group):
                conversation = (GROUP, group, 0)
            case ("discussion", discussion):
                conversation = (DISCUSSION, discussion, 0)
            case (_, sender) if recipients:
                conversation = conversationOf(Number(sender), recipients[0])
            case _:
                return
        self._append(_storedMessage(conversation, event, body, serial))

    def recordFile(self, file: FileEntry, recipient: Number) -> None:
        """
        Record an offline file.
        """
        if self.keep <= 0:
            return
        ids = file.ids
        conversation = filesOf(conversationOf(ids.sender, recipient))
        body = encodeFileEntry(file)
        self._append(StoredMessage(conversation, 0, ids.time, ids.sender, body))

    def _append(self, message: StoredMessage) -> None:
        self._unwritten.append(message)
        if len(self._unwritten) % BATCH == 0:
            self.tryFlush()
        elif len(self._unwritten) == 1 and self.wake is not None:
            self.wake()

    def flush(self) -> None:
        """
        Write the batch, and delete messages beyond the limits.

        @raise sqlite3.Error: when the database fails; then the batch is kept, and
            written with the next one.
        """
        batch = self._unwritten
        if batch:
            try:
                self._history.record(batch)
            except BaseException:
                del batch[:-MAX_UNWRITTEN]
                raise
            self._unwritten = []
        for message in batch:
            self._grown[message.conversation] = (
                self._grown.get(message.conversation, 0) + 1
            )
        # Checking each message is slow: a conversation may exceed its limit by a tenth.
        slack = max(20, self.keep // 10)
        for conversation in {message.conversation for message in batch}:
            if (
                self._grown[conversation] >= slack
                or len(self._grown) > _MANY_CONVERSATIONS
            ):
                self._history.prune(conversation, self.keep)
                del self._grown[conversation]
        now = self._now()
        if now >= self._nextPurge:
            gone = self._history.purge(self.window.since, CHUNK)
            if gone < CHUNK:
                self._nextPurge = now + HOUR

    def forgetUnwritten(self) -> None:
        """
        Drop the batch, because the requests that have caused it were not handled.
        """
        self._unwritten = []

    def tryFlush(self) -> None:
        """
        Write the batch, or later if that is not possible now.
        """
        # The timer of the batch reports the error.
        with suppress(sqlite3.Error):
            self.flush()

    @property
    def window(self) -> HistoryWindow:
        """
        The part of each conversation that may be read.
        """
        return HistoryWindow(max(self.keep, 0), int(self._now()) - self.days * DAY)

    @property
    def since(self) -> int:
        """
        The time of the oldest messages that are kept, in Unix seconds.
        """
        return self.window.since

    def pages(self, conversation: Conversation, rows: int) -> int:
        """
        Return the number of pages of a conversation.
        """
        self.tryFlush()
        count = self._history.count(conversation, self.window)
        return (count + rows - 1) // rows

    def page(
        self, conversation: Conversation, page: int, rows: int
    ) -> list[HistoryEntry]:
        """
        Return a page of a conversation; page 1 is the oldest.
        """
        self.tryFlush()
        offset = (page - 1) * rows
        return _entries(self._history.page(conversation, self.window, offset, rows))

    def between(
        self,
        conversation: Conversation,
        first: int,
        last: int,
        limit: int,
        newest: bool,
    ) -> list[HistoryEntry]:
        """
        Return messages by their numbers in the conversation.

        @param last: 0 for no end.
        @param newest: whether the limit keeps the newest of them, else the oldest.
        """
        self.tryFlush()
        bounds = first, last or 2**63 - 1
        found = self._history.between(conversation, self.window, bounds, limit, newest)
        return _entries(found)

    def around(
        self, conversation: Conversation, after: int, before: int, limit: int
    ) -> HistoryPart | None:
        """
        Return messages of a conversation by the ids of others: the oldest ones after
        a message, or the newest ones before one or of all.

        @param after: the id of a message, 0 for none, and so C{before}.

        @return: L{None} if there is no such message, or no longer.
        """
        self.tryFlush()
        bounds = [0, 2**63 - 1]
        for end, messageId in enumerate((after, before)):
            if messageId:
                message = self._find(conversation, messageId)
                if message is None:
                    return None
                bounds[end] = message.stored.sequence + (1 if end == 0 else -1)
        isNewest = not after
        found = self._history.between(
            conversation, self.window, (bounds[0], bounds[1]), limit + 1, isNewest
        )
        hasMore = len(found) > limit
        if hasMore:
            found = found[1:] if isNewest else found[:-1]
            bounds[0 if isNewest else 1] = found[0 if isNewest else -1].sequence
        files: list[tuple[int, FileEntry]] = []
        if conversation[0] == FRIENDS:
            files = self._files(conversation, (bounds[0], bounds[1]), MAX_FILES)
        return HistoryPart(_entries(found), hasMore, files)

    def _files(
        self, conversation: Conversation, bounds: tuple[int, int], limit: int
    ) -> list[tuple[int, FileEntry]]:
        """
        Return the newest offline files of two accounts within bounds, the oldest
        first, with their numbers in the conversation.
        """
        found = self._history.between(
            filesOf(conversation), self.window, bounds, limit, newest=True
        )
        return [(m.sequence, decodeFileEntry(m.body, m.sender, m.time)) for m in found]

    def bySender(
        self, conversation: Conversation, sender: Number, since: int, limit: int
    ) -> list[HistoryEntry]:
        """
        Return the messages of one sender since a time, in Unix seconds.
        """
        self.tryFlush()
        window = self.window
        window = HistoryWindow(window.keep, max(window.since, since))
        return _entries(self._history.bySender(conversation, window, sender, limit))

    def find(self, conversation: Conversation, messageId: int) -> FoundMessage | None:
        """
        Return the message of a conversation with an id (C{msg_id2}), if it is one of
        the last L{MAX_SEARCHED}.

        @raise sqlite3.Error: when the database fails.
        """
        self.flush()
        return self._find(conversation, messageId)

    def _find(self, conversation: Conversation, messageId: int) -> FoundMessage | None:
        window = self.window
        window = HistoryWindow(min(window.keep, MAX_SEARCHED), window.since)
        # An index would cost each message more than a search costs a recall.
        ending = f",{messageId}]"
        before = 2**63 - 1
        while True:
            stored = self._history.newestWithIds(conversation, window, ending, before)
            if stored is None:
                return None
            event = decodeQueued(stored.body)
            if event.ids.messageId2 == messageId:
                return FoundMessage(event, stored)
            # A text has the same digits.
            before = stored.sequence

    def delete(self, message: FoundMessage) -> None:
        """
        Delete a message.

        @raise sqlite3.Error: when the database fails.
        """
        self._history.delete(message.stored)

    def dates(self, conversation: Conversation) -> list[tuple[int, int, int]]:
        """
        Return the days of a conversation, as days since 1970 in China, each with
        the numbers of its first and last message.
        """
        self.tryFlush()
        return self._history.days(conversation, self.window, CHINA)

    def recent(
        self, number: Number, limit: int = MAX_RECENT
    ) -> list[tuple[int, Number]]:
        """
        Return the conversations of an account by their last messages, the newest
        first: C{RECENT_BUDDY}, C{RECENT_GROUP} or C{RECENT_DISCUSSION}, and the
        number.
        """
        self.tryFlush()
        return self._history.recent(number, self.since, limit)


def _storedMessage(
    conversation: Conversation, event: QueuedEvent, body: str, serial: int
) -> StoredMessage:
    return StoredMessage(
        conversation,
        event.details.get("sequence", 0),
        event.ids.time,
        event.ids.sender,
        body,
        serial,
    )


def _entries(messages: list[StoredMessage]) -> list[HistoryEntry]:
    return [HistoryEntry(m.sequence, decodeQueued(m.body)) for m in messages]
