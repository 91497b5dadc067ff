"""
Table of the reactions to messages in groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number

REACTION_SCHEMA = """
CREATE TABLE reaction (
    room INTEGER NOT NULL,
    message INTEGER NOT NULL,
    face TEXT NOT NULL,
    number INTEGER NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (room, message, face, number)
) WITHOUT ROWID;
CREATE INDEX reaction_by_time ON reaction (room, time);
"""

_UPSERT = upsert("reaction", "room message face number", "time")

MAX_REACTIONS = 10_000
"""The number of reactions that are kept of a group: the newest ones."""

LIFE = 90 * 24 * 3600
"""Time for which reactions are kept, in seconds."""

_CHECKED = 500
"""The number of new reactions in a group after which the old ones are deleted."""


class ReactionStore:
    """
    The reactions in the database.
    """

    def __init__(self, database: Database) -> None:
        self._db = database.connection
        self._added: Counter[Number] = Counter()

    def add(
        self, group: Number, message: int, face: str, number: Number, now: int
    ) -> None:
        """
        Add the reaction of a member to a message.

        @param message: the C{msg_id2} of the message.
        @param face: the id of an emoticon, or an emoji.
        @param now: in Unix seconds.
        """
        self._db.execute(_UPSERT, (group, message, face, number, now))
        self._added[group] += 1
        # Also at the first one of each run of the server.
        if self._added[group] % _CHECKED == 1:
            self._prune(group, now)

    def _prune(self, group: Number, now: int) -> None:
        self._db.execute(
            "DELETE FROM reaction WHERE room = ? AND time < ?", (group, now - LIFE)
        )
        self._db.execute(
            "DELETE FROM reaction WHERE room = ? AND time < (SELECT time FROM reaction"
            " WHERE room = ? ORDER BY time DESC LIMIT 1 OFFSET ?)",
            (group, group, MAX_REACTIONS - 1),
        )

    def remove(self, group: Number, message: int, face: str, number: Number) -> None:
        """
        Delete a reaction, if there is such a one.
        """
        self._db.execute(
            "DELETE FROM reaction"
            " WHERE room = ? AND message = ? AND face = ? AND number = ?",
            (group, message, face, number),
        )

    def removeAll(self, group: Number, message: int) -> None:
        """
        Delete the reactions to a message.
        """
        self._db.execute(
            "DELETE FROM reaction WHERE room = ? AND message = ?", (group, message)
        )

    def of(
        self, group: Number, messages: Sequence[int]
    ) -> dict[int, dict[str, list[Number]]]:
        """
        Return the members who have reacted to messages, by the message and the face,
        each in the order of time.
        """
        marks = ", ".join("?" * len(messages))
        rows = self._db.execute(
            "SELECT message, face, number FROM reaction"
            f" WHERE room = ? AND message IN ({marks}) ORDER BY time, number",
            (group, *messages),
        ).fetchall()
        found: dict[int, dict[str, list[Number]]] = {}
        for message, face, number in rows:
            found.setdefault(message, {}).setdefault(face, []).append(number)
        return found
