"""
The ids of relayed messages in the targets of their room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from txwebqq.sqlite.database import Database

MESSAGE_IDS_SCHEMA = """
CREATE TABLE relayed (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    origin TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    time INTEGER NOT NULL,
    author TEXT NOT NULL,
    excerpt TEXT NOT NULL,
    recalled INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE message_id (
    serial INTEGER PRIMARY KEY,
    target TEXT NOT NULL,
    id TEXT,
    message INTEGER NOT NULL,
    UNIQUE (target, id)
);
CREATE INDEX message_id_by_message ON message_id (message);
"""

MAX_MESSAGES = 50_000
"""Maximum number of messages of which the ids are remembered."""


@dataclass(frozen=True, slots=True)
class RelayedMessage:
    """
    A message that is in several targets.

    @ivar origin: its unique id, as of
        L{OutboxMessage <txwebqq.irc.relay.storage.outbox.OutboxMessage>}.
    @ivar source: the name of the target in which it was sent first.
    @ivar excerpt: its beginning, C{""} when it was recalled.
    """

    origin: str
    source: str
    author: str
    excerpt: str
    isRecalled: bool


class MessageIds:
    """
    The ids by which each target knows the messages of its room: two tables, one of
    messages, one of their ids, with C{NULL} for an id that a target does not tell.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def record(self, message: RelayedMessage, messageId: str, time: int) -> None:
        """
        Record a message that is about to be relayed; one that is known gets the
        author and the excerpt, which may have been missing.

        @param messageId: its id at its source, C{""} for none.
        @param time: Unix milliseconds.
        """
        self._db.execute(
            "INSERT INTO relayed (origin, source, time, author, excerpt)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET"
            " author = excluded.author, excerpt = excluded.excerpt WHERE NOT recalled",
            (message.origin, message.source, time, message.author, message.excerpt),
        )
        if messageId:
            self.recordSent(message.source, message.origin, [messageId])

    def recordSent(self, target: str, origin: str, ids: Sequence[str]) -> None:
        """
        Record that a target has a message, or a part of one.

        @param ids: the ids there, in order; none when the target does not tell.
        """
        known: Sequence[str | None] = ids or [None]
        for messageId in known:
            self._db.execute(
                "INSERT OR REPLACE INTO message_id (target, id, message)"
                " SELECT ?, ?, serial FROM relayed WHERE origin = ?",
                (target, messageId, origin),
            )

    def find(self, target: str, messageId: str) -> RelayedMessage | None:
        """
        Find the message that has an id in a target.
        """
        return self._read(
            "serial = (SELECT message FROM message_id WHERE target = ? AND id = ?)",
            target,
            messageId,
        )

    def get(self, origin: str) -> RelayedMessage | None:
        """
        Find a message by its origin.
        """
        return self._read("origin = ?", origin)

    def _read(self, condition: str, *values: str) -> RelayedMessage | None:
        row = self._db.execute(
            "SELECT origin, source, author, excerpt, recalled FROM relayed"
            f" WHERE {condition}",
            values,
        ).fetchone()
        if row is None:
            return None
        origin, source, author, excerpt, isRecalled = row
        return RelayedMessage(origin, source, author, excerpt, bool(isRecalled))

    def idsIn(self, target: str, origin: str) -> list[str]:
        """
        List the ids of a message in a target, one for each part of it in order.
        """
        rows = self._db.execute(
            "SELECT id FROM message_id WHERE target = ? AND id IS NOT NULL AND"
            " message = (SELECT serial FROM relayed WHERE origin = ?) ORDER BY serial",
            (target, origin),
        )
        return [messageId for (messageId,) in rows]

    def isIn(self, target: str, origin: str) -> bool:
        """
        Check whether a target has a message, or a part of one.
        """
        return self._database.exists(
            "SELECT 1 FROM message_id WHERE target = ? AND"
            " message = (SELECT serial FROM relayed WHERE origin = ?)",
            target,
            origin,
        )

    def markRecalled(self, origin: str) -> None:
        """
        Record that a message was recalled, and forget its text.
        """
        self._db.execute(
            "UPDATE relayed SET recalled = 1, excerpt = '' WHERE origin = ?", (origin,)
        )

    def forget(self, before: int) -> None:
        """
        Delete the messages from before a time, in Unix milliseconds, and those over
        the number of L{MAX_MESSAGES}.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM relayed WHERE time < ? OR serial <="
                " (SELECT max(serial) FROM relayed) - ?",
                (before, MAX_MESSAGES),
            )
            # The oldest messages have the lowest serials.
            self._db.execute(
                "DELETE FROM message_id WHERE message <"
                " (SELECT coalesce(min(serial), 1 << 62) FROM relayed)"
            )
