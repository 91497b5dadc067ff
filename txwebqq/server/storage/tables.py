"""
What all parts of the store share: the database.
"""

from __future__ import annotations

import sqlite3

from txwebqq.model import Number
from txwebqq.sqlite.database import Database


class TableGroup:
    """
    A part of the store, which answers for some of the tables.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db: sqlite3.Connection = database.connection

    def _first(self, query: str, *values: object) -> tuple[object, ...] | None:
        row: tuple[object, ...] | None = self._db.execute(query, values).fetchone()
        return row

    def _count(self, query: str, *values: object) -> int:
        (count,) = self._db.execute(query, values).fetchone()
        return int(count)

    def _former(self, place: Number, isDiscussion: bool) -> set[Number]:
        """
        Who left a group or a discussion, and is not taken in by a file.
        """
        rows = self._db.execute(
            "SELECT number FROM former WHERE place = ? AND is_discussion = ?",
            (place, isDiscussion),
        )
        return {number for (number,) in rows}
