"""
What outlives the server: accounts, what joins them, and mail that waits.

A database is one SQLite file; without one everything is in memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import Number
from txwebqq.server.events.queued import EventChanges, QueuedEvent, decodeQueued
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    FriendRecord,
    Population,
)
from txwebqq.server.storage.admin import AdminStore
from txwebqq.server.storage.discussions import DISCUSSION_SCHEMA, DiscussionStore
from txwebqq.server.storage.friends import FRIEND_SCHEMA, FriendStore
from txwebqq.server.storage.groups import GROUP_SCHEMA, GroupStore
from txwebqq.server.storage.history import HISTORY_SCHEMA, HistoryStore
from txwebqq.server.storage.media import MEDIA_SCHEMA, MediaStore
from txwebqq.server.storage.settings import SETTINGS_SCHEMA, SettingsStore
from txwebqq.sqlite.database import MEMORY, Database, Schema

VERSION = 4
"""What C{PRAGMA user_version} says of databases with this schema."""

_SCHEMA = f"""
CREATE TABLE account (
    number INTEGER PRIMARY KEY,
    first_hash BLOB NOT NULL,
    nick TEXT NOT NULL,
    face INTEGER NOT NULL DEFAULT 0,
    profile TEXT NOT NULL DEFAULT '{{}}'
);
CREATE TABLE category (
    owner INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    name TEXT NOT NULL,
    sort INTEGER NOT NULL,
    PRIMARY KEY (owner, idx)
) WITHOUT ROWID;
CREATE TABLE friendship (
    owner INTEGER NOT NULL,
    friend INTEGER NOT NULL,
    category INTEGER NOT NULL DEFAULT 0,
    markname TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (owner, friend)
) WITHOUT ROWID;
{GROUP_SCHEMA}
{DISCUSSION_SCHEMA}
CREATE TABLE letter (
    serial INTEGER PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE waiting (
    number INTEGER NOT NULL,
    letter INTEGER NOT NULL,
    reply INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (number, letter)
) WITHOUT ROWID;
CREATE INDEX waiting_by_letter ON waiting (letter);
{MEDIA_SCHEMA}
{HISTORY_SCHEMA}
{SETTINGS_SCHEMA}
{FRIEND_SCHEMA}
"""


_DATABASE_SCHEMA = Schema(_SCHEMA, VERSION)


class Store(
    AdminStore,
    MediaStore,
    GroupStore,
    DiscussionStore,
    HistoryStore,
    SettingsStore,
    FriendStore,
):
    """
    An open database.

    @ivar copy: the copy of it that was made before it was upgraded, if it was.

    @raise InvalidConfiguration: when the file cannot be used, and why.
    """

    def __init__(self, path: str | Path = MEMORY, shared: bool = False) -> None:
        """
        @param shared: whether a server may have the file open meanwhile; then
            the file must be there, and no letters may be kept.
        """
        super().__init__(Database(path, _DATABASE_SCHEMA, shared))
        self.copy = self._database.copy
        (last,) = self._db.execute(
            "SELECT ifnull(max(serial), 0) FROM letter"
        ).fetchone()
        # Numbers are never used twice in one run, also of letters long delivered.
        self._lastEvent: int = last

    def close(self) -> None:
        """
        Close the database; nothing may be asked of it any more.
        """
        self._database.close()

    # ---- people

    def account(self, number: Number) -> AccountRecord | None:
        """
        An account.
        """
        row = self._db.execute(
            "SELECT first_hash, nick, face, profile FROM account WHERE number = ?",
            (number,),
        ).fetchone()
        if row is None:
            return None
        firstHash, nick, face, profile = row
        return AccountRecord(number, firstHash, nick, face, json.loads(profile))

    def friendNumbers(self, number: Number) -> list[Number]:
        """
        The numbers of an account's friends.
        """
        rows = self._db.execute(
            "SELECT friend FROM friendship WHERE owner = ?", (number,)
        )
        return [friend for (friend,) in rows]

    def areFriends(self, number: Number, other: Number) -> bool:
        """
        Whether either of two accounts has the other for a friend.
        """
        return self._has(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM friendship"
            " WHERE owner = ?1 AND friend = ?2) OR EXISTS (SELECT 1 FROM friendship"
            " WHERE owner = ?2 AND friend = ?1)",
            number,
            other,
        )

    def areAcquainted(self, number: Number, other: Number) -> bool:
        """
        Whether two accounts are the same, friends, in a group or a discussion
        together, or the other wants into a group that the one administers, or
        to be the one's friend.
        """
        return (
            number == other
            or self.areFriends(number, other)
            or self._has(
                "SELECT 1 FROM member a JOIN member b ON b.room = a.room"
                " WHERE a.number = ? AND b.number = ?",
                number,
                other,
            )
            or self._has(
                "SELECT 1 FROM discussion_member a JOIN discussion_member b"
                " ON b.discussion = a.discussion WHERE a.number = ? AND b.number = ?",
                number,
                other,
            )
            or self.hasAskedFor(other, number)
            or self.friendRequest(number, other) is not None
        )

    def friends(self, number: Number) -> list[FriendRecord]:
        """
        An account's friends.
        """
        rows = self._db.execute(
            "SELECT f.friend, a.nick, a.face, f.category, f.markname"
            " FROM friendship f JOIN account a ON a.number = f.friend"
            " WHERE f.owner = ?",
            (number,),
        )
        return [FriendRecord(*row) for row in rows]

    def categories(self, number: Number) -> list[CategoryRecord]:
        """
        An account's categories.
        """
        rows = self._db.execute(
            "SELECT idx, name, sort FROM category WHERE owner = ?", (number,)
        )
        return [CategoryRecord(*row) for row in rows]

    def _has(self, query: str, *values: int) -> bool:
        return self._db.execute(query, values).fetchone() is not None

    # ---- letters

    def nextLetter(self) -> int:
        """
        The serial number of the next letter, higher than that of any before.
        """
        self._lastEvent += 1
        return self._lastEvent

    def writeMail(self, changes: EventChanges) -> None:
        """
        Write all of these changes, or nothing of them.
        """
        db = self._db
        with self._database.transaction():
            db.executemany("INSERT INTO letter VALUES (?, ?)", changes.events)
            db.executemany(
                "INSERT INTO waiting VALUES (?, ?, ?)",
                [(*key, reply) for key, reply in changes.waiting.items()],
            )
            db.executemany(
                "UPDATE waiting SET reply = ? WHERE number = ? AND letter = ?",
                changes.given,
            )
            db.executemany(
                "DELETE FROM waiting WHERE number = ? AND letter = ?",
                changes.delivered,
            )
            db.executemany(
                "DELETE FROM letter WHERE serial = ?1"
                " AND NOT EXISTS (SELECT 1 FROM waiting WHERE letter = ?1)",
                {(serial,) for _, serial in changes.delivered},
            )

    def waiting(
        self, number: Number, after: int, limit: int
    ) -> list[tuple[int, QueuedEvent]]:
        """
        The first letters that wait for an account and have not been given to
        it, and their serial numbers.

        @param after: only those with higher ones.
        """
        rows = self._db.execute(
            "SELECT l.serial, l.body"
            " FROM waiting w JOIN letter l ON l.serial = w.letter"
            " WHERE w.number = ? AND w.letter > ? AND w.reply = 0"
            " ORDER BY w.letter LIMIT ?",
            (number, after, limit),
        )
        return [(serial, decodeQueued(body)) for serial, body in rows]

    def unacknowledged(self, number: Number) -> list[tuple[int, int, QueuedEvent]]:
        """
        The letters that were given to an account and not acknowledged: the
        number of the reply that each was in, its serial number, and the
        letter, in the order in which they were given.
        """
        rows = self._db.execute(
            "SELECT w.reply, l.serial, l.body"
            " FROM waiting w JOIN letter l ON l.serial = w.letter"
            " WHERE w.number = ? AND w.reply > 0 ORDER BY w.reply, w.letter",
            (number,),
        )
        return [(reply, serial, decodeQueued(body)) for reply, serial, body in rows]

    # ---- merging

    def merge(self, population: Population) -> None:
        """
        Add who and what is not there yet; change and remove nothing.

        @raise InvalidConfiguration: when somebody is named who is nowhere.
        """
        with self._database.transaction():
            self._mergeAccounts(population)
            for friendship in population.friendships:
                what = "friendship between {} and {}".format(*friendship.between)
                self._require(what, friendship.between)
                one, other = friendship.between
                for owner in friendship.listOwners:
                    friend = other if owner == one else one
                    category = friendship.categories.get(owner, 0)
                    markname = friendship.marknames.get(owner, "")
                    self._mergeFriend(owner, friend, category, markname)
            for room in population.groups:
                self._require(f"group {room.group.number}", room.members)
                self._mergeGroup(room)
            for discussion in population.discussions:
                self._require(f"discussion {discussion.number}", discussion.members)
                self._mergeDiscussion(discussion)

    def _require(self, what: str, numbers: Iterable[Number]) -> None:
        for number in numbers:
            if not self._has("SELECT 1 FROM account WHERE number = ?", number):
                raise InvalidConfiguration(f"{what}: there is no account {number}")

    def _mergeAccounts(self, population: Population) -> None:
        for p in population.accounts:
            added = self._db.execute(
                "INSERT OR IGNORE INTO account VALUES (?, ?, ?, ?, ?)",
                (p.number, p.firstHash, p.nick, p.face, json.dumps(dict(p.profile))),
            )
            # Whoever was there has put their list in their own order.
            if added.rowcount == 1:
                for category in population.categories.get(p.number, ()):
                    self.setCategory(p.number, category)

    def _mergeFriend(
        self, owner: Number, friend: Number, category: str | int, markname: str
    ) -> None:
        if self.friendEntry(owner, friend) or self._wereFriends(owner, friend):
            return
        index = self._categoryIndex(owner, category) if category else 0
        self._db.execute(
            "INSERT INTO friendship VALUES (?, ?, ?, ?)",
            (owner, friend, index, markname),
        )

    def _categoryIndex(self, owner: Number, name: str | int) -> int:
        categories = self.categories(owner)
        if isinstance(name, int):
            return name if name in (category.index for category in categories) else 0
        for drawer in categories:
            if drawer.name == name:
                return drawer.index
        taken = {drawer.index for drawer in categories}
        index = next(n for n in count(1) if n not in taken)
        self._db.execute(
            "INSERT INTO category VALUES (?, ?, ?, ?)", (owner, index, name, index)
        )
        return index
