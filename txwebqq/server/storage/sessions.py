"""
The tables of sessions, by which clients go on after a restart of the server: those
that are open, and those that another sign-on has replaced, whose clients may not have
been told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

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
    status INTEGER NOT NULL,
    lapsed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX session_by_psessionid ON session (psessionid);
CREATE INDEX session_by_vfwebqq ON session (vfwebqq);
CREATE INDEX session_by_ptwebqq ON session (ptwebqq);
CREATE INDEX session_by_previous ON session (previous);
CREATE INDEX session_by_lapsed ON session (lapsed, number);
CREATE TABLE replaced_session (
    psessionid BLOB PRIMARY KEY,
    vfwebqq BLOB NOT NULL,
    ptwebqq BLOB NOT NULL,
    previous BLOB NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE session_time (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    time INTEGER NOT NULL
);
"""

_UPSERT_SESSION = upsert(
    "session",
    "number",
    "clientid psessionid vfwebqq ptwebqq previous skey password key status lapsed",
)
_UPSERT_REPLACED = upsert(
    "replaced_session", "psessionid", "vfwebqq ptwebqq previous number time"
)
_UPSERT_TIME = upsert("session_time", "id", "time")


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
    @ivar lapsed: 1 if the account is offline, because its client did not poll.
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
    lapsed: int = 0


@dataclass(frozen=True, slots=True)
class ReplacedSession:
    """
    A session that another sign-on has replaced, as it is stored.

    @ivar psessionid: its SHA-256, as of all ids of the session.
    @ivar time: the time of its end, in Unix seconds.
    """

    psessionid: bytes = field(repr=False)
    vfwebqq: bytes = field(repr=False)
    ptwebqq: bytes = field(repr=False)
    previous: bytes = field(repr=False)
    number: Number
    time: int


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
            self._db.executemany(_UPSERT_SESSION, kept)
        if over:
            self._db.executemany("DELETE FROM session WHERE number = ?", over)

    def writeReplaced(self, replaced: Iterable[ReplacedSession]) -> None:
        """
        Store sessions that were replaced.
        """
        self._db.executemany(_UPSERT_REPLACED, map(astuple, replaced))

    def loadReplaced(self, limit: int) -> list[ReplacedSession]:
        """
        Return the sessions that were replaced last, in the order of their ends.
        """
        rows = self._db.execute(
            "SELECT * FROM replaced_session ORDER BY time DESC LIMIT ?", (limit,)
        )
        return [ReplacedSession(*row) for row in rows][::-1]

    def forgetReplaced(self, before: int) -> None:
        """
        Delete the sessions that were replaced before a time, in Unix seconds.
        """
        self._db.execute("DELETE FROM replaced_session WHERE time < ?", (before,))

    def setTime(self, time: int) -> None:
        """
        Store the time until which the server was running at least, in Unix seconds.
        """
        self._db.execute(_UPSERT_TIME, (0, time))

    def load(self, since: int) -> list[StoredSession]:
        """
        Return the sessions that were open when the server ended; none, and delete
        them, if it was not running after a time, in Unix seconds.
        """
        last = self._database.count("SELECT coalesce(max(time), 0) FROM session_time")
        if last < since:
            self._db.execute("DELETE FROM session")
        rows = self._db.execute("SELECT * FROM session ORDER BY number")
        return [StoredSession(*row) for row in rows]
