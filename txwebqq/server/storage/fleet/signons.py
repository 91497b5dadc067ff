"""
Tables of logins before their sessions, and of ended sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

SIGN_ON_SCHEMA = """
CREATE TABLE ended_session (
    digest BLOB PRIMARY KEY,
    number INTEGER NOT NULL,
    reason TEXT NOT NULL,
    told INTEGER NOT NULL,
    time INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ended_session_by_time ON ended_session (time);
CREATE TABLE pending_login (
    ptwebqq BLOB PRIMARY KEY,
    skey BLOB NOT NULL,
    number INTEGER NOT NULL,
    password BLOB NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX pending_login_by_skey ON pending_login (skey);
CREATE INDEX pending_login_by_number ON pending_login (number);
CREATE INDEX pending_login_by_until ON pending_login (until);
"""

_UPSERT_ENDED = upsert("ended_session", "digest", "number reason told time")
_UPSERT_LOGIN = upsert("pending_login", "ptwebqq", "skey number password until")


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """
    A login before its session.

    @ivar ptwebqq: its SHA-256, as of C{skey}, and of the digest of the password.
    @ivar until: the time at which it expires, in Unix seconds.
    """

    ptwebqq: bytes = field(repr=False)
    skey: bytes = field(repr=False)
    number: Number
    password: bytes = field(repr=False)
    until: int


class SignOnStore:
    """
    Logins before their sessions, and ended sessions.
    Each method is one statement or two, of a transaction that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    def ended(self, digest: bytes) -> tuple[Number, str, int] | None:
        """
        Return the account of a session that has ended, by any of its ids; the reason;
        and 1 if its client was told.
        """
        row = self._db.execute(
            "SELECT number, reason, told FROM ended_session WHERE digest = ?",
            (digest,),
        ).fetchone()
        return None if row is None else tuple(row)

    def writeEnded(
        self, ended: Mapping[bytes, tuple[Number, str, int]], now: int
    ) -> None:
        """
        Store ended sessions by their ids.
        """
        rows = [(digest, *each, now) for digest, each in sorted(ended.items())]
        self._db.executemany(_UPSERT_ENDED, rows)

    def addLogin(self, login: StoredLogin) -> None:
        """
        Store a login.
        """
        self._db.execute(_UPSERT_LOGIN, astuple(login))

    def loginBy(self, column: str, digest: bytes, now: int) -> StoredLogin | None:
        """
        Return the login with an id, unless it has expired, the password has changed
        since, or the account was disabled.

        @param column: C{ptwebqq} or C{skey}.
        """
        row = self._db.execute(
            "SELECT l.ptwebqq, l.skey, l.number, l.password, l.until"
            " FROM pending_login l JOIN account a ON a.number = l.number"
            f" WHERE l.{column} = ? AND l.until > ?"
            " AND (length(l.password) = 0 OR l.password = sha256(a.first_hash))"
            " AND NOT EXISTS (SELECT 1 FROM disabled d WHERE d.number = l.number)",
            (digest, now),
        ).fetchone()
        return None if row is None else StoredLogin(*row)

    def forgetLogin(self, ptwebqq: bytes) -> None:
        """
        Delete a login.
        """
        self._db.execute("DELETE FROM pending_login WHERE ptwebqq = ?", (ptwebqq,))

    def forgetLoginsOf(self, numbers: Iterable[Number]) -> None:
        """
        Delete the logins of accounts.
        """
        self._db.executemany(
            "DELETE FROM pending_login WHERE number = ?",
            [(number,) for number in numbers],
        )
