"""
What all parts of the store share: the database.
"""

from __future__ import annotations

import sqlite3

from txwebqq.database import Database


class Tables:
    """
    A part of the store, which answers for some of the tables.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db: sqlite3.Connection = database.connection
