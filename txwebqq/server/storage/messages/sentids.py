"""
Table of the ids that clients give to the messages that they send, by which a message
that is sent again is recognised.
"""

from __future__ import annotations

from collections.abc import Mapping

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number, Sent

SENT_ID_SCHEMA = """
CREATE TABLE sent_id (
    sender INTEGER NOT NULL,
    id TEXT NOT NULL,
    message INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (sender, id)
) WITHOUT ROWID;
CREATE INDEX sent_id_by_time ON sent_id (time);
"""

_UPSERT = upsert("sent_id", "sender id", "message time")

REMEMBERED = 3 * 24 * 3600
"""Time for which the ids are kept at least, in seconds."""

_CLEANED = 1000
"""The number of new ids after which the old ones are deleted."""


class SentIdStore:
    """
    The ids in the database.

    @ivar isFile: whether they survive the end of the server.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection
        self.isFile = database.isFile
        self._added = _CLEANED

    def find(self, sender: Number, sendId: str) -> Sent | None:
        """
        Return the answer that the message with an id was given, L{None} if there is no
        such message.
        """
        row = self._db.execute(
            "SELECT message, time FROM sent_id WHERE sender = ? AND id = ?",
            (sender, sendId),
        ).fetchone()
        return None if row is None else Sent(*row)

    def write(self, sent: Mapping[tuple[Number, str], Sent]) -> None:
        """
        Add ids, within a transaction.
        """
        self._db.executemany(
            _UPSERT,
            [(*key, each.messageId, each.time) for key, each in sent.items()],
        )
        self._added += len(sent)
        if self._added >= _CLEANED:
            self._added = 0
            newest = max(each.time for each in sent.values())
            self._db.execute(
                "DELETE FROM sent_id WHERE time < ?", (newest - REMEMBERED,)
            )
