"""
What IRC users have decided for themselves, for ever.
"""

from __future__ import annotations

from txwebqq.sqlite.database import Database

PREFERENCES_SCHEMA = """
CREATE TABLE preference (
    user TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user, name)
) WITHOUT ROWID;
"""


class Preferences:
    """
    A word for each name, and for each user.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    def get(self, user: str, name: str, default: str) -> str:
        """
        What has been decided, if anything has.
        """
        row = self._db.execute(
            "SELECT value FROM preference WHERE user = ? AND name = ?", (user, name)
        ).fetchone()
        return default if row is None else str(row[0])

    def set(self, user: str, name: str, word: str) -> None:
        """
        Keep a decision.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO preference VALUES (?, ?, ?)", (user, name, word)
        )
