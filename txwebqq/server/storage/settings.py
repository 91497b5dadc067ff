"""
Table of the settings that clients keep on the server.
"""

from __future__ import annotations

from collections.abc import Mapping

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

SETTINGS_SCHEMA = """
CREATE TABLE setting (
    owner INTEGER NOT NULL,
    app INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, app, name)
) WITHOUT ROWID;
"""

_UPSERT = upsert("setting", "owner app name", "value")


class SettingsStore:
    """
    The settings of clients in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def get(self, owner: Number, app: int) -> dict[str, str]:
        """
        Return the settings of one application of an account: JSON texts by
        name.
        """
        rows = self._db.execute(
            "SELECT name, value FROM setting WHERE owner = ? AND app = ?", (owner, app)
        )
        return dict(rows.fetchall())

    def usage(self, owner: Number) -> tuple[int, int]:
        """
        Return the number of an account's settings, and the characters in
        their names and values.
        """
        count, size = self._db.execute(
            "SELECT count(*), coalesce(sum(length(name) + length(value)), 0)"
            " FROM setting WHERE owner = ?",
            (owner,),
        ).fetchone()
        return int(count), int(size)

    def update(self, owner: Number, app: int, values: Mapping[str, str]) -> None:
        """
        Set some settings of one application; the others stay.
        """
        with self._database.transaction():
            self._db.executemany(
                _UPSERT,
                [(owner, app, name, value) for name, value in values.items()],
            )
