"""
What the relay has taken and not delivered yet, in a database: it outlives us.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

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
    begun INTEGER NOT NULL DEFAULT 0
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


class MessageKind(IntEnum):
    """
    How something is said; the values are in databases.
    """

    WORDS = 0
    ACTION = 1
    SYSTEM = 2
    """By the relay itself, under nobody's name."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """
    Something to be said somewhere.

    @ivar queue: where; what is said in one lane keeps its order.
    @ivar origin: tells it from all else that was said.
    @ivar time: Unix milliseconds.
    @ivar isReady: whether all of it is known; what is not ready keeps what
        comes after it waiting.
    @ivar begun: when somebody began to say it without coming to know whether
        it was heard, in Unix milliseconds, else 0.
    @ivar serial: its place in the order, 0 for one that is in no database.
    """

    queue: str
    origin: str
    time: int
    author: str
    text: str
    kind: MessageKind = MessageKind.WORDS
    isReady: bool = True
    begun: int = 0
    serial: int = 0


class EnqueueResult(Enum):
    """
    What became of a piece.
    """

    TAKEN = "taken"
    KNOWN = "there already"
    FULL = "not taken: too many wait"
    INSTEAD = "taken, and older ones left out"


class Outbox:
    """
    Pieces, in lanes. What was delivered is remembered for a while, so that it
    is not taken a second time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection
        # Who was to make them ready is gone.
        self._db.execute("UPDATE piece SET ready = 1")

    def enqueue(
        self, message: OutboxMessage, limit: int, overflow: OverflowPolicy
    ) -> EnqueueResult:
        """
        Keep a piece. Where that is too much, the new or the oldest one is
        counted as lost.
        """
        with self._database.transaction():
            cursor = self._db.execute(
                "INSERT OR IGNORE INTO known VALUES (?, ?, ?)",
                (message.queue, message.origin, message.time),
            )
            if not cursor.rowcount:
                return EnqueueResult.KNOWN
            waiting = self.count(message.queue)
            if waiting >= limit and overflow is OverflowPolicy.REFUSE_NEW:
                self._lose(message.queue, 1)
                return EnqueueResult.FULL
            if waiting >= limit:
                # The limit may have been larger once.
                tooMany = waiting - limit + 1
                self._lose(message.queue, tooMany)
                # The first of all may be half said already.
                self._db.execute(
                    "DELETE FROM piece WHERE serial IN (SELECT serial FROM piece"
                    " WHERE lane = ? ORDER BY serial LIMIT ? OFFSET ?)",
                    (message.queue, tooMany, min(1, limit - 1)),
                )
            self._db.execute(
                "INSERT INTO piece (lane, origin, time, kind, author, text, ready)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    message.queue,
                    message.origin,
                    message.time,
                    int(message.kind),
                    message.author,
                    message.text,
                    message.isReady,
                ),
            )
        return EnqueueResult.TAKEN if waiting < limit else EnqueueResult.INSTEAD

    def lose(self, message: OutboxMessage) -> None:
        """
        Give a piece up.
        """
        with self._database.transaction():
            self.acknowledge(message, "")
            self._lose(message.queue, 1)

    def _lose(self, queue: str, count: int) -> None:
        self._db.execute(
            "INSERT INTO lost VALUES (?, ?)"
            " ON CONFLICT (lane) DO UPDATE SET count = count + excluded.count",
            (queue, count),
        )

    def lost(self, queue: str) -> int:
        """
        How many were lost since somebody was told.
        """
        row = self._db.execute(
            "SELECT count FROM lost WHERE lane = ?", (queue,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def clearLostCount(self, queue: str) -> None:
        """
        Somebody was told of those that were lost.
        """
        self._db.execute("DELETE FROM lost WHERE lane = ?", (queue,))

    def resolve(
        self, queue: str, origin: str, author: str, text: str, kind: MessageKind
    ) -> None:
        """
        All of a piece is known now. One that was ready may be half said, and
        is left as it is.
        """
        self._db.execute(
            "UPDATE piece SET author = ?, text = ?, kind = ?, ready = 1"
            " WHERE lane = ? AND origin = ? AND NOT ready",
            (author, text, int(kind), queue, origin),
        )

    def withdraw(self, queue: str, origin: str) -> None:
        """
        It is not to be said after all, if it was not ready.
        """
        self._db.execute(
            "DELETE FROM piece WHERE lane = ? AND origin = ? AND NOT ready",
            (queue, origin),
        )

    def first(self, queue: str) -> OutboxMessage | None:
        """
        What is to be said next.
        """
        row = self._db.execute(
            "SELECT origin, time, author, text, kind, ready, begun, serial"
            " FROM piece WHERE lane = ? ORDER BY serial LIMIT 1",
            (queue,),
        ).fetchone()
        if row is None:
            return None
        origin, time, author, text, kind, isReady, begun, serial = row
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
        )

    def markSending(self, message: OutboxMessage, now: int) -> None:
        """
        It is being said; if we stop here nobody knows whether it was heard.
        """
        self._db.execute(
            "UPDATE piece SET begun = ? WHERE serial = ?", (now, message.serial)
        )

    def acknowledge(self, message: OutboxMessage, rest: str) -> None:
        """
        It was heard but for a rest, which comes next.
        """
        if rest:
            self._db.execute(
                "UPDATE piece SET text = ?, begun = 0 WHERE serial = ?",
                (rest, message.serial),
            )
        else:
            self._db.execute("DELETE FROM piece WHERE serial = ?", (message.serial,))

    def count(self, queue: str) -> int:
        """
        How many wait.
        """
        (count,) = self._db.execute(
            "SELECT count(*) FROM piece WHERE lane = ?", (queue,)
        ).fetchone()
        return int(count)

    def queues(self) -> dict[str, int]:
        """
        All lanes in which something waits, and how much.
        """
        return dict(self._db.execute("SELECT lane, count(*) FROM piece GROUP BY lane"))

    def forget(self, before: int) -> None:
        """
        Do not remember any more what was taken before a time, unless it waits.
        """
        self._db.execute(
            "DELETE FROM known WHERE time < ? AND NOT EXISTS (SELECT 1 FROM piece"
            " WHERE piece.lane = known.lane AND piece.origin = known.origin)",
            (before,),
        )
