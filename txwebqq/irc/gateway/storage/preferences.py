"""
Preferences of the gateway's users.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

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
    The preferences of all users, by user and name.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection
        # Read for each message that is shown.
        self._values: dict[tuple[str, str], str] = {
            (user, name): value
            for user, name, value in self._db.execute(
                "SELECT user, name, value FROM preference"
            )
        }

    def get(self, user: str, name: str, default: str) -> str:
        """
        Return the value of a preference, or the default when it has not been
        set.
        """
        return self._values.get((user, name), default)

    def set(self, user: str, name: str, value: str) -> None:
        """
        Set and store a preference; when the database cannot be written to,
        until the gateway stops.
        """
        self._values[user, name] = value
        with suppress(sqlite3.Error):
            self._db.execute(
                "INSERT OR REPLACE INTO preference VALUES (?, ?, ?)",
                (user, name, value),
            )
