"""
The message history of the gateway's users.

The messages of a conversation are in the order of arrival, and each has a later
time than the one before. The times of QQ are whole seconds of another clock, so
by them answers would stand before their questions, and a client that asks for
what is after a time would never get the other messages of that time.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from txwebqq.irc.gateway.storage.message import LAST, HistoryMessage, HistoryPosition
from txwebqq.irc.gateway.storage.references import MessageReferences
from txwebqq.irc.gateway.storage.rows import (
    COLUMNS,
    HERE,
    IS_SHOWN,
    MessageRows,
    here,
)
from txwebqq.irc.gateway.storage.seen import SeenStore
from txwebqq.irc.gateway.storage.transaction import CallLater, TurnTransaction
from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import Database

HISTORY_SCHEMA = """
CREATE TABLE said (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    user TEXT NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    time INTEGER NOT NULL,
    account INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    nick TEXT NOT NULL,
    command TEXT NOT NULL,
    text TEXT NOT NULL,
    origin TEXT NOT NULL,
    qq_id INTEGER NOT NULL DEFAULT 0,
    earlier TEXT NOT NULL DEFAULT '',
    reply INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX said_by_time ON said (user, kind, place, time, serial);
CREATE INDEX said_by_user ON said (user, serial);
CREATE INDEX said_by_age ON said (time);
CREATE UNIQUE INDEX said_by_origin ON said (user, kind, place, origin)
    WHERE origin != '';
CREATE INDEX said_by_qq_id ON said (qq_id) WHERE qq_id != 0;
CREATE TABLE epoch (
    salt TEXT NOT NULL
);
"""

DAY = 24 * 3600 * 1000
"""One day, in milliseconds."""

# A time is at least as much later than an earlier one as there are messages
# between them.
_SEPARATE_TIMES = """
WITH numbered AS (
    SELECT serial, user, kind, place, time,
        row_number() OVER (PARTITION BY user, kind, place ORDER BY time, serial) AS n
    FROM said
), separate AS (
    SELECT serial,
        n + max(time - n) OVER (PARTITION BY user, kind, place ORDER BY n) AS time
    FROM numbered
)
UPDATE said SET time = separate.time FROM separate
    WHERE said.serial = separate.serial AND said.time != separate.time
"""


class HistoryStore:
    """
    The stored messages of all users.

    @param messages: maximum number of messages of one user.
    @param days: how long a message is kept, in days.
    @param callLater: commits what is written in one turn of the reactor at its end;
        without it, each write is committed at once.

    @ivar seen: the messages that clients have been shown.
    @ivar references: finds messages by their ids.
    """

    def __init__(
        self,
        database: Database,
        messages: int = 100_000,
        days: int = 30,
        callLater: CallLater | None = None,
    ) -> None:
        self._database = database
        self._db = database.connection
        self._messages = messages
        self._days = days
        self.seen = SeenStore(database, self._begin, callLater)
        self._transaction = TurnTransaction(
            database, callLater, self.seen.write, self._rolledBack
        )
        self._counts: dict[str, int] = {}
        if self._db.execute("SELECT 1 FROM epoch").fetchone() is None:
            # Serials start at 1 in a new database, and clients remember the
            # msgids of a lost one.
            self._db.execute("INSERT INTO epoch VALUES (?)", (secrets.token_hex(4),))
        (salt,) = self._db.execute("SELECT salt FROM epoch").fetchone()
        self._rows = MessageRows(salt)
        self.references = MessageReferences(database, self._rows, self._begin)
        self._lastTimes: dict[tuple[str, Target], int] = {}
        self._separateTimes()
        # A serial is not given again when its message is lost: clients may have
        # confirmed it.
        (self._serial,) = self._db.execute(
            "SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'said'"
        ).fetchone()

    def append(
        self,
        message: HistoryMessage,
        lost: Callable[[sqlite3.Error], object] | None = None,
    ) -> HistoryMessage | None:
        """
        Store a message, and delete the user's oldest ones if there are too
        many. The time becomes later than that of the message before, if it is
        not.

        @param lost: called with the error when the message could not be
            committed.

        @return: the message with its time, serial and msgid; L{None} if another
            copy of it is stored already.
        """
        conversation = message.user, message.target
        last = self._lastTimes.get(conversation)
        if last is None:
            last = self._lastTime(*conversation)
        time = message.time if last is None else max(message.time, last + 1)
        serial = self._serial + 1
        self._transaction.begin()
        try:
            cursor = self._db.execute(
                f"INSERT OR IGNORE INTO said ({COLUMNS})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    serial,
                    *here(message.user, message.target),
                    time,
                    message.account,
                    message.sender,
                    message.nick,
                    message.command,
                    message.text,
                    message.origin,
                    message.id,
                    " ".join(map(str, message.earlier)),
                    message.reply,
                ),
            )
        except sqlite3.Error:
            self._transaction.check()
            raise
        if cursor.rowcount < 1:
            return None
        self._serial = serial
        if lost is not None:
            self._transaction.onLost(lost)
        self._lastTimes[conversation] = time
        try:
            self._bound(message.user)
        except sqlite3.Error:
            # The message is stored; count again with the next one.
            self._counts.pop(message.user, None)
        return HistoryMessage(
            message.user,
            message.target,
            time,
            message.account,
            message.sender,
            message.nick,
            message.text,
            message.command,
            message.origin,
            serial,
            self._rows.msgid(serial),
            message.id,
            message.earlier,
            message.reply,
        )

    def commit(self) -> None:
        """
        Commit what was written in this turn of the reactor.

        @raise sqlite3.Error: when that fails.
        """
        self._transaction.commit()

    def atOnce(self) -> AbstractContextManager[None]:
        """
        Commit what was written in this turn, and in a C{with} block each write at
        once, so that a logout does not acknowledge what is not stored.
        """
        return self._transaction.atOnce()

    def stop(self) -> None:
        """
        Commit everything, and leave nothing on the clock.
        """
        self.seen.flush()
        with suppress(sqlite3.Error):
            self.commit()

    def _begin(self) -> None:
        self._transaction.begin()

    def _rolledBack(self) -> None:
        self._counts.clear()

    def _lastTime(self, user: str, target: Target) -> int | None:
        (time,) = self._db.execute(
            f"SELECT max(time) FROM said WHERE {HERE}", here(user, target)
        ).fetchone()
        return None if time is None else int(time)

    def _separateTimes(self) -> None:
        """
        Give each message a later time than the one before, in a database of
        an older version, which may have equal ones.
        """
        found = self._db.execute(
            "SELECT 1 FROM said GROUP BY user, kind, place, time"
            " HAVING count(*) > 1 LIMIT 1"
        ).fetchone()
        if found is not None:
            self._db.execute(_SEPARATE_TIMES)

    def _bound(self, user: str) -> None:
        if user not in self._counts:
            (self._counts[user],) = self._db.execute(
                "SELECT count(*) FROM said WHERE user = ?", (user,)
            ).fetchone()
        else:
            self._counts[user] += 1
        excess = self._counts[user] - self._messages
        if excess > 0:
            self._db.execute(
                "DELETE FROM said WHERE serial IN"
                " (SELECT serial FROM said WHERE user = ? ORDER BY serial LIMIT ?)",
                (user, excess),
            )
            self._counts[user] = self._messages

    def expire(self, now: int, limit: int = 1000) -> bool:
        """
        Delete messages that are too old.

        @param now: milliseconds since 1970.
        @param limit: maximum number of messages that are deleted.

        @return: whether there may be more to delete.
        """
        cursor = self._db.execute(
            "DELETE FROM said WHERE serial IN"
            " (SELECT serial FROM said WHERE time < ? ORDER BY time LIMIT ?)",
            (now - self._days * DAY, limit),
        )
        self._counts.clear()
        return cursor.rowcount == limit

    def position(self, user: str, target: Target, msgid: str) -> HistoryPosition | None:
        """
        Return the position of a message, L{None} if the conversation has no
        message with this msgid.
        """
        found = self.references.withMsgid(user, target, msgid)
        return None if found is None else HistoryPosition(found.time, found.serial)

    def latest(
        self,
        user: str,
        target: Target,
        limit: int,
        after: HistoryPosition | None = None,
    ) -> list[HistoryMessage]:
        """
        Return the last messages of a conversation.

        @param after: excludes this position and those before it.
        """
        low = (-LAST, 0) if after is None else after.end
        return self._ending(user, target, low, (LAST, 0), limit)

    def before(
        self, user: str, target: Target, position: HistoryPosition, limit: int
    ) -> list[HistoryMessage]:
        """
        Return the last messages before a position.
        """
        return self._ending(user, target, (-LAST, 0), position.start, limit)

    def after(
        self, user: str, target: Target, position: HistoryPosition, limit: int
    ) -> list[HistoryMessage]:
        """
        Return the first messages after a position.
        """
        return self._beginning(user, target, position.end, (LAST, 0), limit)

    def around(
        self, user: str, target: Target, position: HistoryPosition, limit: int
    ) -> list[HistoryMessage]:
        """
        Return messages before, at and after a position.
        """
        time, serial = position.start
        earlier = self._ending(user, target, (-LAST, 0), (time, serial), limit // 2)
        later = self._beginning(
            user, target, (time, serial - 1), (LAST, 0), limit - limit // 2
        )
        return earlier + later

    def between(
        self,
        user: str,
        target: Target,
        one: HistoryPosition,
        other: HistoryPosition,
        limit: int,
    ) -> list[HistoryMessage]:
        """
        Return messages between two positions: the first ones, or if C{other}
        is the earlier position, the last ones.
        """
        if one.start <= other.start:
            return self._beginning(user, target, one.end, other.start, limit)
        return self._ending(user, target, other.end, one.start, limit)

    def targets(
        self, user: str, one: HistoryPosition, other: HistoryPosition, limit: int
    ) -> list[tuple[Target, int]]:
        """
        Return the conversations whose last message was sent between two times,
        each with that message's time, ordered by it. If there are more than
        C{limit}, those nearest to C{one}.
        """
        low, high = sorted((one.time, other.time))
        order = "ASC" if one.time <= other.time else "DESC"
        rows = self._db.execute(
            "SELECT kind, place, max(time) AS latest FROM said WHERE user = ?"
            " GROUP BY kind, place HAVING latest > ? AND latest < ?"
            f" ORDER BY latest {order}, kind, place LIMIT ?",
            (user, low, high, limit),
        )
        found = [
            (Target(TargetKind(kind), number), time) for kind, number, time in rows
        ]
        return found if order == "ASC" else found[::-1]

    def _beginning(
        self,
        user: str,
        target: Target,
        low: tuple[int, int],
        high: tuple[int, int],
        limit: int,
    ) -> list[HistoryMessage]:
        return self._within(user, target, low, high, limit, "ASC")

    def _ending(
        self,
        user: str,
        target: Target,
        low: tuple[int, int],
        high: tuple[int, int],
        limit: int,
    ) -> list[HistoryMessage]:
        return self._within(user, target, low, high, limit, "DESC")[::-1]

    def _within(
        self,
        user: str,
        target: Target,
        low: tuple[int, int],
        high: tuple[int, int],
        limit: int,
        order: str,
    ) -> list[HistoryMessage]:
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM said WHERE {HERE} AND {IS_SHOWN}"
            " AND (time, serial) > (?, ?) AND (time, serial) < (?, ?)"
            f" ORDER BY time {order}, serial {order} LIMIT ?",
            # SQLite takes a negative limit for none.
            (*here(user, target), *low, *high, max(limit, 0)),
        )
        return self._rows.read(rows)

    def missed(self, user: str, client: str, limit: int) -> list[HistoryMessage]:
        """
        Return the messages of all conversations that have arrived since the
        client was last shown one.

        @param limit: maximum number of messages of one conversation.
        """
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM (SELECT *, row_number() OVER"
            " (PARTITION BY kind, place ORDER BY time DESC, serial DESC) AS recent"
            f" FROM said WHERE user = ? AND serial > ? AND {IS_SHOWN})"
            " WHERE recent <= ? ORDER BY time, serial",
            (user, self.seen.last(user, client), limit),
        )
        return self._rows.read(rows)

    def since(
        self, user: str, target: Target, serial: int, limit: int
    ) -> list[HistoryMessage]:
        """
        Return the last messages of a conversation that have arrived after the
        one with this serial.
        """
        rows = self._db.execute(
            f"SELECT {COLUMNS} FROM said WHERE {HERE} AND {IS_SHOWN} AND serial > ?"
            " ORDER BY time DESC, serial DESC LIMIT ?",
            (*here(user, target), serial, limit),
        )
        return self._rows.read(rows)[::-1]

    def last(self, user: str) -> int:
        """
        Return the serial of the user's last message, 0 if there is none.
        """
        (serial,) = self._db.execute(
            "SELECT ifnull(max(serial), 0) FROM said WHERE user = ?", (user,)
        ).fetchone()
        return int(serial)
