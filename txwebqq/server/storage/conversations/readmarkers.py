"""
Table of read markers: how far each account has read its conversations.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.databases.interface import Database
from txwebqq.model import Number
from txwebqq.server.storage.conversations.history import Conversation, HistoryWindow

READ_MARKER_SCHEMA = """
CREATE TABLE read_marker (
    owner INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    other INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (owner, kind, place, other)
) WITHOUT ROWID;
"""

_MARK = (
    "INSERT INTO read_marker VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (owner, kind, place, other) DO UPDATE SET seq = excluded.seq"
    " WHERE excluded.seq > read_marker.seq"
)
# All columns are in the index, and the newest come first: a call reads as much of the
# index as is unread and its own.
_UNREAD = (
    "SELECT count(*) FROM (SELECT 1 FROM (SELECT sender, counts FROM history"
    " WHERE kind = ?2 AND place = ?3 AND other = ?4 AND time >= ?5 AND seq > coalesce("
    "  (SELECT seq FROM read_marker WHERE owner = ?1 AND kind = ?2 AND place = ?3"
    "   AND other = ?4), -1)"
    " ORDER BY seq DESC LIMIT ?6) w WHERE sender <> ?1 AND counts = 1 LIMIT ?7) u"
)


def markJoined(
    database: Database, kind: int, place: Number, numbers: Iterable[Number]
) -> None:
    """
    Have what was said in a group or discussion before accounts join it not count as
    unread for them, inside the transaction of the caller.
    """
    last = database.count(
        "SELECT coalesce(max(seq), -1) FROM history"
        " WHERE kind = ? AND place = ? AND other = 0",
        kind,
        place,
    )
    if last >= 0:
        database.connection.executemany(
            _MARK, [(number, kind, place, 0, last) for number in numbers]
        )


class ReadMarkerStore:
    """
    The read markers in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def mark(self, owner: Number, conversation: Conversation, sequence: int) -> None:
        """
        Mark a conversation as read up to a message, unless it is read further.
        """
        self._db.execute(_MARK, (owner, *conversation, sequence))

    def unread(
        self,
        owner: Number,
        conversation: Conversation,
        window: HistoryWindow,
        most: int,
    ) -> int:
        """
        Count the messages of others after the marker.

        @param most: the number up to which they are counted.
        """
        return self._database.count(
            _UNREAD, owner, *conversation, window.since, window.keep, most
        )
