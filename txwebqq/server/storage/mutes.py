"""
Table of the mutes of groups.
"""

from __future__ import annotations

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

MUTE_SCHEMA = """
CREATE TABLE mute (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (room, number)
) WITHOUT ROWID;
"""

_UPSERT = upsert("mute", "room number", "until")

EVERYBODY = Number(0)
"""Stands for all members of a group but its owner and administrators."""


class MuteStore:
    """
    The mutes in the database. The server alone adds some; L{GroupStore.removeMember
    <txwebqq.server.storage.groups.GroupStore.removeMember>} deletes that of a member.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection
        # Each message to a group asks, and few groups have mutes.
        rows = self._db.execute("SELECT DISTINCT room FROM mute")
        self._groups: set[Number] | None = {group for (group,) in rows}

    def forget(self) -> None:
        """
        Be told that other processes mute members, too.
        """
        self._groups = None

    def until(self, group: Number, number: Number, now: int) -> tuple[int, int]:
        """
        Return until when a member and all members of a group are muted, in Unix
        seconds, 0 for one that is not.
        """
        if self._groups is not None and group not in self._groups:
            return 0, 0
        rows = self._db.execute(
            "SELECT number, until FROM mute WHERE room = ? AND until > ?", (group, now)
        )
        mutes = dict(rows.fetchall())
        if not mutes and self._groups is not None:
            self._groups.discard(group)
        return mutes.get(number, 0), mutes.get(EVERYBODY, 0)

    def active(self, group: Number, now: int) -> list[tuple[Number, int]]:
        """
        Return the muted members of a group, each with the end of the mute in Unix
        seconds; also L{EVERYBODY}.
        """
        return self._db.execute(
            "SELECT number, until FROM mute WHERE room = ? AND until > ?"
            " ORDER BY number",
            (group, now),
        ).fetchall()

    def add(self, group: Number, number: Number, until: int, now: int) -> None:
        """
        Mute a member, or L{EVERYBODY}, until a time, and delete the mutes of the
        group that have ended.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM mute WHERE room = ? AND until <= ?", (group, now)
            )
            self._db.execute(_UPSERT, (group, number, until))
        if self._groups is not None:
            self._groups.add(group)

    def remove(self, group: Number, number: Number, now: int) -> bool:
        """
        End the mute of a member, or of L{EVERYBODY}.

        @return: whether there was one that had not ended.
        """
        rows = self._db.execute(
            "DELETE FROM mute WHERE room = ? AND number = ? RETURNING until",
            (group, number),
        )
        return any(until > now for (until,) in rows.fetchall())
