"""
What the database knows of what was said.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.storage.tables import TableGroup

HISTORY_SCHEMA = """
CREATE TABLE history (
    serial INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    other INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX history_by_place ON history (kind, place, other, seq);
"""

PEOPLE, GROUP, DISCUSSION = 0, 1, 2

Place = tuple[int, int, int]
"""A conversation: its kind, and the group or discussion and 0, or the two
people, the lower number first."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """
    One message.

    @ivar sequence: its running number in the conversation; 0 to have it given
        one.
    @ivar body: the letter as it is stored.
    """

    place: Place
    sequence: int
    time: int
    sender: Number
    body: str


@dataclass(frozen=True, slots=True)
class HistoryWindow:
    """
    What may be read of a conversation.

    @ivar keep: so many of the last messages.
    @ivar since: what is older is gone.
    """

    keep: int
    since: int


class HistoryStorage(Protocol):
    """
    What the archive keeps.
    """

    def record(self, messages: Iterable[StoredMessage]) -> None: ...

    def prune(self, place: Place, keep: int) -> None: ...

    def purge(self, before: int, limit: int) -> int: ...

    def countMessages(self, place: Place, window: HistoryWindow) -> int: ...

    def messages(
        self, place: Place, window: HistoryWindow, offset: int, limit: int
    ) -> list[StoredMessage]: ...

    def messagesBetween(
        self,
        place: Place,
        window: HistoryWindow,
        bounds: tuple[int, int],
        limit: int,
        newest: bool,
    ) -> list[StoredMessage]: ...

    def messagesBy(
        self, place: Place, window: HistoryWindow, sender: Number, limit: int
    ) -> list[StoredMessage]: ...

    def messageDays(
        self, place: Place, window: HistoryWindow, offset: int
    ) -> list[tuple[int, int, int]]: ...


_WHERE = "kind = ? AND place = ? AND other = ?"
_WINDOW = (
    f"SELECT seq, time, sender, body FROM history WHERE {_WHERE}"
    " AND time >= ? ORDER BY seq DESC LIMIT ?"
)


class HistoryStore(TableGroup):
    """
    The part of the store that answers for what was said.
    """

    _db: sqlite3.Connection
    _lastSequence: int | None = None

    def record(self, messages: Iterable[StoredMessage]) -> None:
        """
        Keep messages, in the order in which they were said.
        """
        if self._lastSequence is None:
            (last,) = self._db.execute(
                "SELECT ifnull(max(serial), 0) FROM history"
            ).fetchone()
            self._lastSequence = last
        rows = []
        serial = self._lastSequence
        for m in messages:
            serial += 1
            sequence = m.sequence or serial
            rows.append((serial, *m.place, sequence, m.time, m.sender, m.body))
        with self._database.transaction():
            self._db.executemany(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
        self._lastSequence = serial

    def prune(self, place: Place, keep: int) -> None:
        """
        Forget all of a conversation but its last messages.
        """
        self._db.execute(
            f"DELETE FROM history WHERE {_WHERE} AND seq <="
            f" (SELECT seq FROM history WHERE {_WHERE}"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (*place, *place, keep),
        )

    def purge(self, before: int, limit: int) -> int:
        """
        Forget some of what was said before a time.

        @return: how many messages; C{limit} if there may be more.
        """
        rows = self._db.execute(
            "SELECT serial, time FROM history ORDER BY serial LIMIT ?", (limit,)
        )
        old = []
        for serial, time in rows.fetchall():
            if time >= before:
                break
            old.append(serial)
        if old:
            self._db.execute("DELETE FROM history WHERE serial <= ?", (old[-1],))
        return len(old)

    def countMessages(self, place: Place, window: HistoryWindow) -> int:
        """
        How many messages of a conversation there are.
        """
        (count,) = self._db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM history WHERE {_WHERE}"
            " AND time >= ? ORDER BY seq DESC LIMIT ?)",
            (*place, window.since, window.keep),
        ).fetchone()
        return int(count)

    def messages(
        self, place: Place, window: HistoryWindow, offset: int, limit: int
    ) -> list[StoredMessage]:
        """
        Some messages of a conversation, the oldest first.

        @param offset: how many older ones to leave out.
        """
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) ORDER BY seq LIMIT ? OFFSET ?",
            (*place, window.since, window.keep, limit, offset),
        )
        return _messages(place, rows)

    def messagesBetween(
        self,
        place: Place,
        window: HistoryWindow,
        bounds: tuple[int, int],
        limit: int,
        newest: bool,
    ) -> list[StoredMessage]:
        """
        Messages with running numbers between two, the oldest first.

        @param newest: which to take when there are more than the limit.
        """
        order = "DESC" if newest else "ASC"
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) WHERE seq BETWEEN ? AND ?"
            f" ORDER BY seq {order} LIMIT ?",
            (*place, window.since, window.keep, *bounds, limit),
        )
        messages = _messages(place, rows)
        return messages[::-1] if newest else messages

    def messagesBy(
        self, place: Place, window: HistoryWindow, sender: Number, limit: int
    ) -> list[StoredMessage]:
        """
        What somebody has said in a conversation, the oldest first.
        """
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) WHERE sender = ? ORDER BY seq LIMIT ?",
            (*place, window.since, window.keep, sender, limit),
        )
        return _messages(place, rows)

    def messageDays(
        self, place: Place, window: HistoryWindow, offset: int
    ) -> list[tuple[int, int, int]]:
        """
        The days on which something was said, as days since 1970, each with
        its first and last running number.

        @param offset: the seconds by which days begin earlier than in London.
        """
        rows = self._db.execute(
            f"SELECT (time + ?) / 86400, min(seq), max(seq) FROM ({_WINDOW})"
            " GROUP BY 1 ORDER BY 1",
            (offset, *place, window.since, window.keep),
        )
        return rows.fetchall()


def _messages(place: Place, rows: Iterable[Sequence[object]]) -> list[StoredMessage]:
    return [StoredMessage(place, *row) for row in rows]  # type: ignore[arg-type]
