"""
The table of open sessions, by which clients go on after a restart of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, field

from txwebqq.model import Number
from txwebqq.sqlite.database import Database

SESSION_SCHEMA = """
CREATE TABLE session (
    number INTEGER PRIMARY KEY,
    clientid TEXT NOT NULL,
    psessionid BLOB NOT NULL,
    vfwebqq BLOB NOT NULL,
    ptwebqq BLOB NOT NULL,
    previous BLOB NOT NULL,
    skey BLOB NOT NULL,
    password BLOB NOT NULL,
    key BLOB NOT NULL,
    status INTEGER NOT NULL
);
CREATE TABLE session_time (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    time INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """
    A session as it is stored.

    @ivar psessionid: its SHA-256, as of all ids of the session, so that nobody who
        reads the file can use them.
    @ivar previous: the C{ptwebqq} before the last rotation.
    @ivar password: the SHA-256 of the digest of the password of the sign-on, C{b""}
        if there was none.
    @ivar key: the key of the session's uins.
    @ivar status: the code of the presence status.
    """

    number: Number
    clientid: str
    psessionid: bytes = field(repr=False)
    vfwebqq: bytes = field(repr=False)
    ptwebqq: bytes = field(repr=False)
    previous: bytes = field(repr=False)
    skey: bytes = field(repr=False)
    password: bytes = field(repr=False)
    key: bytes = field(repr=False)
    status: int


class SessionStore:
    """
    The sessions in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def write(self, changes: Mapping[Number, StoredSession | None]) -> None:
        """
        Store sessions, and delete those that are L{None}.
        """
        kept = [astuple(each) for each in changes.values() if each is not None]
        over = [(number,) for number, each in changes.items() if each is None]
        if kept:
            self._db.executemany(
                "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                kept,
            )
        if over:
            self._db.executemany("DELETE FROM session WHERE number = ?", over)

    def setTime(self, time: int) -> None:
        """
        Store the time until which the server was running at least, in Unix seconds.
        """
        self._db.execute("INSERT OR REPLACE INTO session_time VALUES (0, ?)", (time,))

    def load(self, since: int) -> list[StoredSession]:
        """
        Return the sessions that were open when the server ended; none, and delete
        them, if it was not running after a time, in Unix seconds.
        """
        last = self._database.count("SELECT ifnull(max(time), 0) FROM session_time")
        if last < since:
            self._db.execute("DELETE FROM session")
        rows = self._db.execute("SELECT * FROM session ORDER BY number")
        return [StoredSession(*row) for row in rows]
