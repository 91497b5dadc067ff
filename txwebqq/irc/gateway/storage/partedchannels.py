"""
Channels that IRC clients have parted from.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import Database

PARTED_SCHEMA = """
CREATE TABLE absence (
    user TEXT NOT NULL,
    client TEXT NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    PRIMARY KEY (user, client, kind, place)
) WITHOUT ROWID;
"""


class PartedChannels:
    """
    The channels that are muted for a client, also after it reconnects. Changes
    are lost while the database cannot be written to.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    def of(self, user: str, client: str) -> dict[Target, int]:
        """
        Return the channels from which a client has parted, each with the
        serial of the user's last message before.
        """
        rows = self._db.execute(
            "SELECT kind, place, serial FROM absence WHERE user = ? AND client = ?",
            (user, client),
        )
        return {Target(TargetKind(kind), place): serial for kind, place, serial in rows}

    def add(self, user: str, client: str, target: Target, serial: int) -> None:
        """
        Store that a client has parted from a channel.
        """
        # The connected client keeps it in mind.
        with suppress(sqlite3.Error):
            self._db.execute(
                "INSERT OR REPLACE INTO absence VALUES (?, ?, ?, ?, ?)",
                (user, client, int(target.kind), target.number, serial),
            )

    def forget(self, user: str, target: Target) -> None:
        """
        Delete what is stored about a channel, for all clients of a user.
        """
        # A row that cannot be deleted does no harm: the channel is gone.
        with suppress(sqlite3.Error):
            self._db.execute(
                "DELETE FROM absence WHERE user = ? AND kind = ? AND place = ?",
                (user, int(target.kind), target.number),
            )

    def remove(self, user: str, client: str, target: Target) -> None:
        """
        Store that a client has joined a channel again.
        """
        with suppress(sqlite3.Error):
            self._db.execute(
                "DELETE FROM absence"
                " WHERE user = ? AND client = ? AND kind = ? AND place = ?",
                (user, client, int(target.kind), target.number),
            )
