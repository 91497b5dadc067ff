"""
Table of the message history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from txwebqq.databases.interface import Database
from txwebqq.model import RECENT_BUDDY, RECENT_DISCUSSION, RECENT_GROUP, Number

HISTORY_SCHEMA = """
CREATE TABLE history (
    serial INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    other INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    body TEXT NOT NULL,
    event INTEGER NOT NULL DEFAULT 0,
    counts INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX history_by_place
    ON history (kind, place, other, seq, time, sender, counts);
"""

FRIENDS, GROUP, DISCUSSION, FILES = 0, 1, 2, 3
"""The kinds of conversations; L{FILES} has the offline files of two accounts, apart
from their messages, whose readers know nothing of files."""

Conversation = tuple[int, int, int]
"""A conversation: its kind, and the number of the group or discussion and 0, or
the numbers of the two accounts, the lower first. The sequence numbers of the messages
and of the files of two accounts are of one series."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """
    A message of the history.

    @ivar sequence: its sequence number in the conversation; 0 in a new message
        to have the number assigned.
    @ivar time: Unix seconds.
    @ivar body: the queued event in its stored form; the file, among L{FILES}.
    @ivar eventSerial: the serial number of the queued event, 0 for none.
    """

    conversation: Conversation
    sequence: int
    time: int
    sender: Number
    body: str = field(repr=False)
    eventSerial: int = 0


@dataclass(frozen=True, slots=True)
class HistoryWindow:
    """
    The part of each conversation that may be read.

    @ivar keep: the number of last messages.
    @ivar since: the time of the oldest message, in Unix seconds.
    """

    keep: int
    since: int


_WHERE = "kind = ? AND place = ? AND other = ?"
_WINDOW = (
    f"SELECT seq, time, sender, body, event FROM history WHERE {_WHERE}"
    " AND time >= ? ORDER BY seq DESC LIMIT ?"
)


_LAST = (
    "(SELECT time FROM history h WHERE h.kind = {kind} AND h.place = {place}"
    " AND h.other = {other} ORDER BY h.seq DESC LIMIT 1)"
)
_LAST_OF_FRIEND = _LAST.format(
    kind=FRIENDS,
    place="CASE WHEN f.owner < f.friend THEN f.owner ELSE f.friend END",
    other="CASE WHEN f.owner < f.friend THEN f.friend ELSE f.owner END",
)
_LAST_OF_GROUP = _LAST.format(kind=GROUP, place="m.room", other=0)
_LAST_OF_DISCUSSION = _LAST.format(kind=DISCUSSION, place="d.discussion", other=0)
_RECENT = (
    "SELECT kind, place FROM ("
    f"SELECT {RECENT_BUDDY} AS kind, f.friend AS place, {_LAST_OF_FRIEND} AS last"
    " FROM friendship f WHERE f.owner = ?1"
    f" UNION ALL SELECT {RECENT_GROUP}, m.room, {_LAST_OF_GROUP}"
    " FROM member m WHERE m.number = ?1"
    f" UNION ALL SELECT {RECENT_DISCUSSION}, d.discussion, {_LAST_OF_DISCUSSION}"
    " FROM discussion_member d WHERE d.number = ?1"
    ") c WHERE last >= ?2 ORDER BY last DESC, kind, place LIMIT ?3"
)


class HistoryStore:
    """
    The message history in the database.

    @ivar lastSerial: the serial number of the last message.
    @ivar firstSerial: the same when the database was opened.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection
        # Serial numbers are the sequence numbers of friends, too. They are not used
        # again when the last messages, which were read, are deleted.
        self.lastSerial = self.firstSerial = max(
            database.count("SELECT coalesce(max(serial), 0) FROM history"),
            database.count(
                "SELECT coalesce(max(seq), 0) FROM read_marker WHERE kind = ?", FRIENDS
            ),
        )

    def record(self, messages: Iterable[StoredMessage]) -> None:
        """
        Store messages, in the order in which they were sent.
        """
        rows = []
        serial = self.lastSerial
        for m in messages:
            serial += 1
            sequence = m.sequence or serial
            # Messages of versions without read markers do not count as unread.
            message = sequence, m.time, m.sender, m.body, m.eventSerial, 1
            rows.append((serial, *m.conversation, *message))
        with self._database.together():
            self._db.executemany(
                "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            )
        self.lastSerial = serial

    def lastSequence(self, number: Number) -> int:
        """
        Return the last sequence number of a group or discussion, 0 if the database has
        none.
        """
        return max(
            self._database.count(
                f"SELECT coalesce(max(seq), 0) FROM history WHERE {_WHERE}",
                kind,
                number,
                0,
            )
            for kind in (GROUP, DISCUSSION)
        )

    def newestWithIds(
        self, conversation: Conversation, window: HistoryWindow, text: str, before: int
    ) -> StoredMessage | None:
        """
        Return the newest message of a conversation whose ids, the first array of
        its stored form, have a text.

        @param before: look at messages with lower sequence numbers only.
        """
        # Not within the window as a subquery, which would be copied first.
        row = self._db.execute(
            f"SELECT seq, time, sender, body, event FROM history WHERE {_WHERE}"
            f" AND seq < ? AND seq > coalesce((SELECT seq FROM history WHERE {_WHERE}"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?), -1)"
            " AND time >= ? AND instr(substr(body, 1, instr(body, ']')), ?) > 0"
            " ORDER BY seq DESC LIMIT 1",
            (
                *conversation,
                before,
                *conversation,
                window.keep,
                window.since,
                text,
            ),
        ).fetchone()
        return None if row is None else StoredMessage(conversation, *row)

    def delete(self, message: StoredMessage) -> None:
        """
        Delete a message.
        """
        self._db.execute(
            f"DELETE FROM history WHERE {_WHERE} AND seq = ? AND body = ?",
            (*message.conversation, message.sequence, message.body),
        )

    def prune(self, conversation: Conversation, keep: int) -> None:
        """
        Delete all messages of a conversation but the last ones.
        """
        self._db.execute(
            f"DELETE FROM history WHERE {_WHERE} AND seq <="
            f" (SELECT seq FROM history WHERE {_WHERE}"
            " ORDER BY seq DESC LIMIT 1 OFFSET ?)",
            (*conversation, *conversation, keep),
        )

    def purge(self, before: int, limit: int) -> int:
        """
        Delete some of the messages that are older than a time.

        @param before: Unix seconds.
        @param limit: the number of messages to look at.

        @return: the number of deleted messages; C{limit} if there may be more.
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

    def count(self, conversation: Conversation, window: HistoryWindow) -> int:
        """
        Return the number of readable messages of a conversation.
        """
        return self._database.count(
            f"SELECT count(*) FROM (SELECT 1 FROM history WHERE {_WHERE}"
            " AND time >= ? ORDER BY seq DESC LIMIT ?) w",
            *conversation,
            window.since,
            window.keep,
        )

    def page(
        self, conversation: Conversation, window: HistoryWindow, offset: int, limit: int
    ) -> list[StoredMessage]:
        """
        Return some messages of a conversation, the oldest first.

        @param offset: the number of older messages to leave out.
        """
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) w ORDER BY seq LIMIT ? OFFSET ?",
            (*conversation, window.since, window.keep, limit, offset),
        )
        return _messages(conversation, rows)

    def between(
        self,
        conversation: Conversation,
        window: HistoryWindow,
        bounds: tuple[int, int],
        limit: int,
        newest: bool,
    ) -> list[StoredMessage]:
        """
        Return the messages with sequence numbers within bounds, the oldest
        first.

        @param newest: whether to return the newest ones, rather than the
            oldest, when there are more than the limit.
        """
        order = "DESC" if newest else "ASC"
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) w WHERE seq BETWEEN ? AND ?"
            f" ORDER BY seq {order} LIMIT ?",
            (*conversation, window.since, window.keep, *bounds, limit),
        )
        messages = _messages(conversation, rows)
        return messages[::-1] if newest else messages

    def bySender(
        self,
        conversation: Conversation,
        window: HistoryWindow,
        sender: Number,
        limit: int,
    ) -> list[StoredMessage]:
        """
        Return a sender's messages in a conversation, the oldest first.
        """
        rows = self._db.execute(
            f"SELECT * FROM ({_WINDOW}) w WHERE sender = ? ORDER BY seq LIMIT ?",
            (*conversation, window.since, window.keep, sender, limit),
        )
        return _messages(conversation, rows)

    def days(
        self, conversation: Conversation, window: HistoryWindow, offset: int
    ) -> list[tuple[int, int, int]]:
        """
        Return the days that have messages, as days since 1970, each with its
        first and last sequence number.

        @param offset: the offset of the local time from UTC, in seconds.
        """
        rows = self._db.execute(
            f"SELECT (time + ?) / 86400, min(seq), max(seq) FROM ({_WINDOW}) w"
            " GROUP BY 1 ORDER BY 1",
            (offset, *conversation, window.since, window.keep),
        )
        return rows.fetchall()

    def recent(
        self, number: Number, since: int, limit: int
    ) -> list[tuple[int, Number]]:
        """
        Return an account's conversations with messages after a time, the one
        with the newest message first.

        @return: for each its kind (L{txwebqq.model.RECENT_BUDDY} and others)
            and the number of the friend, group or discussion.
        """
        return self._db.execute(_RECENT, (number, since, limit)).fetchall()


def _messages(
    conversation: Conversation, rows: Iterable[Sequence[object]]
) -> list[StoredMessage]:
    return [StoredMessage(conversation, *row) for row in rows]  # type: ignore[arg-type]
