"""
The durable queue of messages that the relay has accepted and not delivered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from secrets import token_hex
from typing import Any

from txwebqq.irc.config.policies import OverflowPolicy
from txwebqq.sqlite.database import Database

OUTBOX_SCHEMA = """
CREATE TABLE piece (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    origin TEXT NOT NULL,
    time INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    ready INTEGER NOT NULL,
    begun INTEGER NOT NULL DEFAULT 0,
    reply TEXT NOT NULL DEFAULT '',
    mentions TEXT NOT NULL DEFAULT '',
    token TEXT NOT NULL DEFAULT '',
    part INTEGER NOT NULL DEFAULT 0,
    identified INTEGER NOT NULL DEFAULT 0,
    rest TEXT NOT NULL DEFAULT ''
);
CREATE INDEX piece_by_lane ON piece (lane, serial);
CREATE TABLE known (
    lane TEXT NOT NULL,
    origin TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (lane, origin)
) WITHOUT ROWID;
CREATE INDEX known_by_time ON known (time);
CREATE TABLE lost (
    lane TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""C{token} is a random name of the message, with which the ids of its parts begin, and
C{part} the number of those that were accepted. While one is being sent C{begun} has
the time, C{identified} tells whether it is sent with its id, and C{rest} is the text
after it."""


class MessageKind(IntEnum):
    """
    The form of a message; the values are stored in databases.
    """

    TEXT = 0
    ACTION = 1
    """C{/me}."""
    SYSTEM = 2
    """A message of the relay itself, without an author."""
    RECALL = 3
    """The recall of the message that C{reply} names; an action that says so where the
    message cannot be removed."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """
    A message for one target.

    @ivar queue: the name of the target's queue; a queue keeps its order.
    @ivar origin: the unique id of the message in its queue: source and key.
    @ivar time: Unix milliseconds.
    @ivar isReady: whether author and text are final. An incomplete message
        holds up those behind it.
    @ivar reply: the origin of the message that this one replies to, or recalls;
        C{""} for none.
    @ivar mentions: the numbers and names of those whom the text mentions as
        C{@name}; 0 for one who is known to be no member of the target.
    @ivar begun: the time, in Unix milliseconds, of a sending of which the
        outcome is unknown, else 0.
    @ivar isIdentified: whether that sending had the id.
    @ivar rest: the rest of the text after the part that was sent then.
    @ivar sendId: the id of the first part, by which some servers recognise it when it
        is sent again; C{""} for a message that is not in the database.
    @ivar serial: the row in the database, which gives the order; 0 for a
        message that is not in the database.
    """

    queue: str
    origin: str
    time: int
    author: str
    text: str
    kind: MessageKind = MessageKind.TEXT
    isReady: bool = True
    begun: int = 0
    serial: int = 0
    reply: str = ""
    mentions: tuple[tuple[int, str], ...] = ()
    isIdentified: bool = False
    rest: str = ""
    sendId: str = field(default="", compare=False)


class EnqueueResult(Enum):
    """
    The outcome of L{Outbox.enqueue}.
    """

    ADDED = "added"
    KNOWN = "known already"
    REFUSED = "refused, because the queue is full"
    REPLACED = "added, and the oldest messages dropped"


class Outbox:
    """
    The queues of all targets, in three tables: messages, the origins of messages
    that were enqueued (also after their delivery), and the number of dropped
    messages.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection
        # The process that was to complete these messages has ended.
        self._db.execute("UPDATE piece SET ready = 1")
        # Those of an older version.
        self._db.execute(
            "UPDATE piece SET token = lower(hex(randomblob(12))) WHERE token = ''"
        )

    def enqueue(
        self, message: OutboxMessage, limit: int, overflow: OverflowPolicy
    ) -> EnqueueResult:
        """
        Write a message at the end of its queue. When the queue is full, the
        new message or the oldest one is dropped, and counted as lost.

        A message that is known is not written again, but completed: when it
        waits incomplete, it gets the final author and text in its place. One
        that was ready is left as it is, since part of it may have been sent.
        """
        with self._database.transaction():
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO known VALUES (?, ?, ?)",
                (message.queue, message.origin, message.time),
            )
            if not cursor.rowcount:
                if message.isReady:
                    self._complete(message)
                return EnqueueResult.KNOWN
            queued = self.count(message.queue)
            if queued >= limit and overflow is OverflowPolicy.REFUSE_NEW:
                self._addLost(message.queue, 1)
                return EnqueueResult.REFUSED
            if queued >= limit:
                # The limit may have been larger before a restart.
                excess = queued - limit + 1
                self._addLost(message.queue, excess)
                # Part of the first message may have been sent already.
                self._db.execute(
                    "DELETE FROM piece WHERE serial IN (SELECT serial FROM piece"
                    " WHERE lane = ? ORDER BY serial LIMIT ? OFFSET ?)",
                    (message.queue, excess, min(1, limit - 1)),
                )
            self._db.execute(
                "INSERT INTO piece (lane, origin, time, kind, author, text, ready,"
                " reply, mentions, token) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    message.queue,
                    message.origin,
                    message.time,
                    int(message.kind),
                    message.author,
                    message.text,
                    message.isReady,
                    message.reply,
                    _writeMentions(message),
                    token_hex(12),
                ),
            )
        return EnqueueResult.ADDED if queued < limit else EnqueueResult.REPLACED

    def _complete(self, message: OutboxMessage) -> None:
        self._db.execute(
            "UPDATE piece SET author = ?, text = ?, kind = ?, reply = ?, mentions = ?,"
            " ready = 1 WHERE lane = ? AND origin = ? AND NOT ready",
            (
                message.author,
                message.text,
                int(message.kind),
                message.reply,
                _writeMentions(message),
                message.queue,
                message.origin,
            ),
        )

    def drop(self, message: OutboxMessage) -> None:
        """
        Remove a message that cannot be delivered, and count it as lost.
        """
        with self._database.transaction():
            self.acknowledge(message, "")
            self._addLost(message.queue, 1)

    def _addLost(self, queue: str, count: int) -> None:
        self._db.execute(
            "INSERT INTO lost VALUES (?, ?)"
            " ON CONFLICT (lane) DO UPDATE SET count = count + excluded.count",
            (queue, count),
        )

    def lost(self, queue: str) -> int:
        """
        Count the messages of a queue that were dropped since its target was
        last told of it.
        """
        row = self._db.execute(
            "SELECT count FROM lost WHERE lane = ?", (queue,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def clearLostCount(self, queue: str) -> None:
        """
        Count from 0 again, when the target has been told of the lost messages.
        """
        self._db.execute("DELETE FROM lost WHERE lane = ?", (queue,))

    def withdraw(self, queue: str, origin: str) -> None:
        """
        Remove an incomplete message that is not to be relayed.
        """
        self._db.execute(
            "DELETE FROM piece WHERE lane = ? AND origin = ? AND NOT ready",
            (queue, origin),
        )

    def remove(self, queue: str, origin: str) -> None:
        """
        Remove a message that is not to be relayed any more. When it is being sent,
        the rest of it is not.
        """
        self._db.execute(
            "DELETE FROM piece WHERE lane = ? AND origin = ?", (queue, origin)
        )

    def first(self, queue: str) -> OutboxMessage | None:
        """
        Read the message at the head of a queue.
        """
        row = self._db.execute(
            "SELECT origin, time, author, text, kind, ready, begun, serial, reply,"
            " mentions, identified, rest, token, part FROM piece WHERE lane = ?"
            " ORDER BY serial LIMIT 1",
            (queue,),
        ).fetchone()
        if row is None:
            return None
        origin, time, author, text, kind, isReady, begun, serial, *more = row
        reply, mentions, isIdentified, rest, token, part = more
        return OutboxMessage(
            queue,
            origin,
            time,
            author,
            text,
            MessageKind(kind),
            bool(isReady),
            begun,
            serial,
            reply,
            _readMentions(mentions),
            bool(isIdentified),
            rest,
            f"{token}-{part}",
        )

    def markSending(
        self, message: OutboxMessage, now: int, rest: str, isIdentified: bool
    ) -> None:
        """
        Record that the first part of a message is being sent, so that after a crash
        it is known that the target may have received it.

        @param now: Unix milliseconds.
        @param rest: the rest of the text.
        @param isIdentified: whether it is sent with its id.
        """
        self._db.execute(
            "UPDATE piece SET begun = ?, rest = ?, identified = ? WHERE serial = ?",
            (now, rest, isIdentified, message.serial),
        )

    def markUnsent(self, message: OutboxMessage) -> None:
        """
        Record that the target has certainly not received it.
        """
        self._db.execute(
            "UPDATE piece SET begun = 0 WHERE serial = ?", (message.serial,)
        )

    def acknowledge(self, message: OutboxMessage, rest: str) -> None:
        """
        Delete a message that was delivered, or leave the rest of its text at
        the head of the queue; the rest is no reply.
        """
        if rest:
            self._db.execute(
                "UPDATE piece SET text = ?, begun = 0, reply = '', part = part + 1"
                " WHERE serial = ?",
                (rest, message.serial),
            )
        else:
            self._db.execute("DELETE FROM piece WHERE serial = ?", (message.serial,))

    def count(self, queue: str) -> int:
        """
        Count the messages of a queue.
        """
        (count,) = self._db.execute(
            "SELECT count(*) FROM piece WHERE lane = ?", (queue,)
        ).fetchone()
        return int(count)

    def queues(self) -> dict[str, int]:
        """
        Count the messages of each queue that is not empty.
        """
        return dict(self._db.execute("SELECT lane, count(*) FROM piece GROUP BY lane"))

    def forget(self, before: int) -> None:
        """
        Delete the origins of messages that were enqueued before a time, in
        Unix milliseconds, except of those that are still in a queue.
        """
        self._db.execute(
            "DELETE FROM known WHERE time < ? AND NOT EXISTS (SELECT 1 FROM piece"
            " WHERE piece.lane = known.lane AND piece.origin = known.origin)",
            (before,),
        )


def _writeMentions(message: OutboxMessage) -> str:
    return json.dumps(message.mentions) if message.mentions else ""


def _readMentions(text: str) -> tuple[tuple[int, str], ...]:
    mentions: list[Any] = json.loads(text) if text else []
    return tuple((number, name) for number, name in mentions)
