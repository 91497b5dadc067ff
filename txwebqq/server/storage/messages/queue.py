"""
Tables of queued events: each event once, and for each account the events that
wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from txwebqq.databases.interface import Database
from txwebqq.model import Number, Sent
from txwebqq.server.events.kinds import KINDS
from txwebqq.server.events.queued import QueuedEvent
from txwebqq.server.events.storedformat import beginningOf, decodeQueued
from txwebqq.server.storage.messages.sentids import SentIdStore
from txwebqq.server.storage.sessions import (
    ReplacedSession,
    SessionStore,
    StoredSession,
)

MESSAGE_SCHEMA = """
CREATE TABLE letter (
    serial INTEGER PRIMARY KEY,
    conversation TEXT NOT NULL DEFAULT '',
    size INTEGER NOT NULL DEFAULT 0,
    body TEXT NOT NULL
);
CREATE TABLE waiting (
    number INTEGER NOT NULL,
    letter INTEGER NOT NULL,
    reply INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, letter)
) WITHOUT ROWID;
CREATE INDEX waiting_by_letter ON waiting (letter);
"""


_EXTENSIONS = [beginningOf(kind) for kind in KINDS.values() if kind.isExtension]
# PostgreSQL has no substr of a bigint.
_IS_EXTENSION = " OR ".join(
    ["substr(l.body, 1, CAST(? AS INTEGER)) = ?"] * len(_EXTENSIONS)
)


@dataclass(slots=True)
class EventChanges:
    """
    Changes to the queued events that are written in one transaction.

    @ivar events: new events: their serial numbers, conversations, sizes and
        texts.
    @ivar waiting: the recipients of new events: by account and serial number,
        the number of the reply that holds the event, 0 for none.
    @ivar given: for events that were in the database before: the number of the
        reply that holds the event, the account, and the serial number.
    @ivar delivered: the accounts and serial numbers of acknowledged events.
    @ivar sessions: sessions that were opened or have changed, by account; L{None}
        for one that has ended.
    @ivar replaced: sessions that another sign-on has replaced.
    @ivar sent: the answers to new messages that have an id of the client, by sender and
        id.
    @ivar operatorEvents: the serial numbers of events of operators that were queued.
    """

    events: list[tuple[int, str, int, str]] = field(default_factory=list)
    waiting: dict[tuple[Number, int], int] = field(default_factory=dict)
    given: list[tuple[int, Number, int]] = field(default_factory=list)
    delivered: list[tuple[Number, int]] = field(default_factory=list)
    sessions: dict[Number, StoredSession | None] = field(default_factory=dict)
    replaced: list[ReplacedSession] = field(default_factory=list)
    sent: dict[tuple[Number, str], Sent] = field(default_factory=dict)
    operatorEvents: list[int] = field(default_factory=list)

    def add(self, serial: int, event: QueuedEvent, body: str) -> None:
        """
        Add an event.

        @param body: the event in its stored form.
        """
        self.events.append((serial, _name(event.conversation), len(body), body))

    def give(self, number: Number, serial: int, reply: int) -> None:
        """
        Record that an event is in a reply to an account.
        """
        if (number, serial) in self.waiting:
            self.waiting[number, serial] = reply
        else:
            self.given.append((reply, number, serial))

    @property
    def isEmpty(self) -> bool:
        """
        True when there is nothing to write.
        """
        changes = (self.events, self.given, self.delivered, self.sessions)
        others = (self.replaced, self.sent, self.operatorEvents)
        return not (any(changes) or any(others))


class MessageStore:
    """
    The queued events in the database.

    @ivar lastSerial: the serial number of the last event.
    @ivar firstSerial: the same when the database was opened.
    @ivar sentIds: the ids that clients have given to messages.
    """

    def __init__(self, database: Database, sessions: SessionStore) -> None:
        self._database = database
        self._db = database.connection
        self._sessions = sessions
        self.sentIds = SentIdStore(database)
        # Serial numbers are never used twice in one run, also those of events
        # that have been delivered and deleted.
        self.lastSerial = self.firstSerial = database.count(
            "SELECT coalesce(max(serial), 0) FROM letter"
        )

    def nextSerial(self) -> int:
        """
        Return the serial number of the next event, higher than all before.
        """
        self.lastSerial += 1
        return self.lastSerial

    def write(self, changes: EventChanges) -> None:
        """
        Write all of these changes in one transaction.
        """
        db = self._db
        with self._database.together():
            if changes.events:
                db.executemany("INSERT INTO letter VALUES (?, ?, ?, ?)", changes.events)
                db.executemany(
                    "INSERT INTO waiting VALUES (?, ?, ?)",
                    [(*key, reply) for key, reply in changes.waiting.items()],
                )
            if changes.given:
                db.executemany(
                    "UPDATE waiting SET reply = ? WHERE number = ? AND letter = ?",
                    changes.given,
                )
            if changes.delivered:
                db.executemany(
                    "DELETE FROM waiting WHERE number = ? AND letter = ?",
                    changes.delivered,
                )
                db.executemany(
                    "DELETE FROM letter WHERE serial = ?1"
                    " AND NOT EXISTS (SELECT 1 FROM waiting WHERE letter = ?1)",
                    {(serial,) for _, serial in changes.delivered},
                )
            if changes.sessions:
                self._sessions.write(changes.sessions)
            if changes.replaced:
                self._sessions.writeReplaced(changes.replaced)
            if changes.sent:
                self.sentIds.write(changes.sent)
            if changes.operatorEvents:
                db.executemany(
                    "DELETE FROM operator_event WHERE serial = ?",
                    [(serial,) for serial in changes.operatorEvents],
                )

    def deleteDelivered(self, after: int, limit: int) -> int | None:
        """
        Delete those of the next events that wait for no account: when two processes
        delete the last two recipients of an event at one moment, it stays.

        @param after: the serial number before.

        @return: the last serial number, L{None} when there are no more.
        """
        rows = self._db.execute(
            "SELECT serial FROM letter WHERE serial > ? ORDER BY serial LIMIT ?",
            (after, limit),
        ).fetchall()
        if not rows:
            return None
        (last,) = rows[-1]
        self._db.execute(
            "DELETE FROM letter WHERE serial > ? AND serial <= ? AND NOT EXISTS"
            " (SELECT 1 FROM waiting w WHERE w.letter = letter.serial)",
            (after, last),
        )
        return int(last)

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, QueuedEvent]]:
        """
        Return the first events that wait for an account and were in no poll
        reply yet, with their serial numbers.

        @param after: return only events with higher serial numbers.
        """
        rows = self._db.execute(
            "SELECT l.serial, l.body"
            " FROM waiting w JOIN letter l ON l.serial = w.letter"
            " WHERE w.number = ? AND w.letter > ? AND w.reply = 0"
            " ORDER BY w.letter LIMIT ?",
            (number, after, limit),
        )
        return [(serial, decodeQueued(body)) for serial, body in rows]

    def next(self, number: Number, limit: int) -> list[tuple[int, QueuedEvent]]:
        """
        Return the events that the next replies to an account are made of, in
        the order of their serial numbers. If there are more than C{limit}, each
        conversation has the same share of them.
        """
        found = self.waiting(number, 0, limit)
        if len(found) < limit:
            return found
        rows = self._db.execute(
            "SELECT l.serial, l.body FROM (SELECT e.serial, row_number() OVER"
            "  (PARTITION BY e.conversation ORDER BY e.serial) AS turn"
            "  FROM waiting w JOIN letter e ON e.serial = w.letter"
            "  WHERE w.number = ? AND w.reply = 0 ORDER BY turn, e.serial LIMIT ?) f"
            " JOIN letter l ON l.serial = f.serial ORDER BY l.serial",
            (number, limit),
        )
        return [(serial, decodeQueued(body)) for serial, body in rows]

    def dropExtensions(self, number: Number) -> None:
        """
        Delete the events that wait for an account, were in no poll reply yet, and
        are of kinds that its client does not know.
        """
        values = [v for text in _EXTENSIONS for v in (len(text), text)]
        with self._database.transaction():
            rows = self._db.execute(
                "DELETE FROM waiting WHERE number = ? AND reply = 0 AND EXISTS"
                " (SELECT 1 FROM letter l WHERE l.serial = waiting.letter"
                f" AND ({_IS_EXTENSION})) RETURNING *",
                (number, *values),
            ).fetchall()
            self._db.executemany(
                "DELETE FROM letter WHERE serial = ?1"
                " AND NOT EXISTS (SELECT 1 FROM waiting WHERE letter = ?1)",
                [(serial,) for _, serial, _ in rows],
            )

    def withdraw(self, serial: int, body: str) -> list[Number]:
        """
        Delete an event for the accounts that wait for it, and were given it in no
        poll reply.

        @param body: the event in its stored form: a serial number may be that of
            another event, which an earlier run of the server has deleted.

        @return: those accounts.
        """
        db = self._db
        with self._database.transaction():
            rows = db.execute(
                "SELECT w.number FROM letter l JOIN waiting w ON w.letter = l.serial"
                " WHERE l.serial = ? AND l.body = ? AND w.reply = 0",
                (serial, body),
            ).fetchall()
            if rows:
                db.execute(
                    "DELETE FROM waiting WHERE letter = ? AND reply = 0", (serial,)
                )
                db.execute(
                    "DELETE FROM letter WHERE serial = ?1"
                    " AND NOT EXISTS (SELECT 1 FROM waiting WHERE letter = ?1)",
                    (serial,),
                )
        return [number for (number,) in rows]

    def usage(self, number: Number, conversation: tuple[str, int]) -> tuple[int, int]:
        """
        Return how many messages of a conversation wait for an account, and
        their size in characters.
        """
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(l.size), 0)"
            " FROM waiting w JOIN letter l ON l.serial = w.letter"
            " WHERE w.number = ? AND l.conversation = ?",
            (number, _name(conversation)),
        ).fetchone()
        return int(count), int(size)

    def unacknowledged(self, number: Number) -> list[tuple[int, int, QueuedEvent]]:
        """
        Return the events that were in a poll reply and are not acknowledged.

        @return: for each event the number of the reply, the serial number of
            the event, and the event, in the order of the replies.
        """
        rows = self._db.execute(
            "SELECT w.reply, l.serial, l.body"
            " FROM waiting w JOIN letter l ON l.serial = w.letter"
            " WHERE w.number = ? AND w.reply > 0 ORDER BY w.reply, w.letter",
            (number,),
        )
        return [(reply, serial, decodeQueued(body)) for reply, serial, body in rows]


def _name(conversation: tuple[str, int]) -> str:
    kind, number = conversation
    return f"{kind} {number}"
