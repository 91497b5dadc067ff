"""
Tables of what accounts and addresses have done, and of captchas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert

LIMIT_SCHEMA = """
CREATE TABLE allowance (
    name TEXT NOT NULL,
    subject TEXT NOT NULL,
    times INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (name, subject)
) WITHOUT ROWID;
CREATE INDEX allowance_by_until ON allowance (until);
CREATE TABLE captcha (
    id BLOB PRIMARY KEY,
    answer TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX captcha_by_until ON captcha (until);
"""

_ADD = (
    "INSERT INTO allowance VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name, subject)"
    " DO UPDATE SET times = excluded.times"
    "  + CASE WHEN allowance.until > ?5 THEN allowance.times ELSE 0 END,"
    " until = CASE WHEN allowance.until > excluded.until THEN allowance.until"
    "  ELSE excluded.until END"
)
_UPSERT_CAPTCHA = upsert("captcha", "id", "answer until")


class LimitStore:
    """
    The actions of accounts and addresses that are limited, and captchas.
    Each method is one statement or two, of a transaction that the caller has begun.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    def allowance(self, name: str, subject: str) -> tuple[int, int]:
        """
        Return how often an action was done within a window, and the end of the window,
        in Unix seconds.
        """
        row = self._db.execute(
            "SELECT times, until FROM allowance WHERE name = ? AND subject = ?",
            (name, subject),
        ).fetchone()
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def addToAllowances(
        self, added: Mapping[tuple[str, str], tuple[int, int]], now: int
    ) -> None:
        """
        Add to how often actions were done within windows.

        @param added: the number of actions and the end of the window.
        @param now: the time, in Unix seconds: windows that have ended do not count.
        """
        rows = [(*key, *each, now) for key, each in sorted(added.items())]
        self._db.executemany(_ADD, rows)

    def deleteAllowances(self, keys: Iterable[tuple[str, str]]) -> None:
        """
        Forget how often actions were done.
        """
        self._db.executemany(
            "DELETE FROM allowance WHERE name = ? AND subject = ?", sorted(keys)
        )

    def addCaptcha(self, digest: bytes, answer: str, until: int) -> None:
        """
        Store a captcha, by the SHA-256 of its id.
        """
        self._db.execute(_UPSERT_CAPTCHA, (digest, answer, until))

    def takeCaptcha(self, digest: bytes) -> tuple[str, int] | None:
        """
        Delete a captcha, and return its text and the end of its life.
        """
        row = self._db.execute(
            "DELETE FROM captcha WHERE id = ? RETURNING answer, until", (digest,)
        ).fetchone()
        return None if row is None else (str(row[0]), int(row[1]))
