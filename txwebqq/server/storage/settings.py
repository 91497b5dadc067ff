"""
What the database knows of the settings that clients keep with us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.storage.tables import TableGroup

SETTINGS_SCHEMA = """
CREATE TABLE setting (
    owner INTEGER NOT NULL,
    app INTEGER NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, app, name)
) WITHOUT ROWID;
"""


class SettingsStorage(Protocol):
    """
    What the rules of settings keep.
    """

    def settings(self, owner: Number, app: int) -> dict[str, str]: ...

    def roomForSettings(self, owner: Number) -> tuple[int, int]: ...

    def changeSettings(
        self, owner: Number, app: int, values: Mapping[str, str]
    ) -> None: ...


class SettingsStore(TableGroup):
    """
    The part of the store that answers for settings.
    """

    def settings(self, owner: Number, app: int) -> dict[str, str]:
        """
        The settings of one application of an account, as JSON, by name.
        """
        rows = self._db.execute(
            "SELECT name, value FROM setting WHERE owner = ? AND app = ?", (owner, app)
        )
        return dict(rows.fetchall())

    def roomForSettings(self, owner: Number) -> tuple[int, int]:
        """
        How many settings an account has, and the characters in them.
        """
        count, size = self._db.execute(
            "SELECT count(*), ifnull(sum(length(name) + length(value)), 0)"
            " FROM setting WHERE owner = ?",
            (owner,),
        ).fetchone()
        return int(count), int(size)

    def changeSettings(
        self, owner: Number, app: int, values: Mapping[str, str]
    ) -> None:
        """
        Set some settings of one application; the others stay.
        """
        with self._database.transaction():
            self._db.executemany(
                "INSERT OR REPLACE INTO setting VALUES (?, ?, ?, ?)",
                [(owner, app, name, value) for name, value in values.items()],
            )
