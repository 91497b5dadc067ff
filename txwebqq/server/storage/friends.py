"""
Tables of friend lists, their categories, and unanswered friend requests.
"""

from __future__ import annotations

from collections.abc import Sequence

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import upsert
from txwebqq.model import Number
from txwebqq.server.records import (
    CategoryRecord,
    FriendEntry,
    FriendRecord,
    FriendRequestRecord,
)

FRIEND_SCHEMA = """
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
CREATE INDEX friendship_by_friend ON friendship (friend);
CREATE TABLE former_friendship (
    owner INTEGER NOT NULL,
    friend INTEGER NOT NULL,
    PRIMARY KEY (owner, friend)
) WITHOUT ROWID;
CREATE TABLE asked (
    number INTEGER NOT NULL,
    asker INTEGER NOT NULL,
    text TEXT NOT NULL,
    category INTEGER NOT NULL,
    time INTEGER NOT NULL,
    has_added INTEGER NOT NULL,
    PRIMARY KEY (number, asker)
) WITHOUT ROWID;
CREATE INDEX asked_by_asker ON asked (asker);
"""

_UPSERT_FRIENDSHIP = upsert("friendship", "owner friend", "category markname")
_UPSERT_CATEGORY = upsert("category", "owner idx", "name sort")
_UPSERT_REQUEST = upsert("asked", "number asker", "text category time has_added")


class FriendStore:
    """
    The friend lists, categories and friend requests in the database.

    A friendship is stored once for each of the two accounts; a one-sided one
    is in the list of one account only.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def all(self, owner: Number) -> list[FriendRecord]:
        """
        Return the friends of an account.
        """
        rows = self._db.execute(
            "SELECT f.friend, a.nick, a.face, f.category, f.markname"
            " FROM friendship f JOIN account a ON a.number = f.friend"
            " WHERE f.owner = ? ORDER BY f.friend",
            (owner,),
        )
        return [FriendRecord(*row) for row in rows]

    def numbers(self, owner: Number) -> list[Number]:
        """
        Return the numbers of an account's friends.
        """
        rows = self._db.execute(
            "SELECT friend FROM friendship WHERE owner = ? ORDER BY friend", (owner,)
        )
        return [friend for (friend,) in rows]

    def areFriends(self, number: Number, other: Number) -> bool:
        """
        Check whether either of two accounts has the other in its friend list.
        """
        return self._database.exists(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM friendship"
            " WHERE owner = ?1 AND friend = ?2) OR EXISTS (SELECT 1 FROM friendship"
            " WHERE owner = ?2 AND friend = ?1)",
            number,
            other,
        )

    def entry(self, owner: Number, friend: Number) -> FriendEntry | None:
        """
        Return the category and private nickname of a friend, or L{None} if
        the other account is not in the owner's friend list.
        """
        row = self._db.execute(
            "SELECT category, markname FROM friendship WHERE owner = ? AND friend = ?",
            (owner, friend),
        ).fetchone()
        return None if row is None else FriendEntry(*row)

    def listedBy(self, friend: Number) -> list[Number]:
        """
        Return the accounts that have an account in their friend list.
        """
        rows = self._db.execute(
            "SELECT owner FROM friendship WHERE friend = ? ORDER BY owner", (friend,)
        )
        return [owner for (owner,) in rows]

    def count(self, owner: Number) -> int:
        """
        Return the number of friends of an account.
        """
        return self._database.count(
            "SELECT count(*) FROM friendship WHERE owner = ?", owner
        )

    def add(self, owner: Number, friend: Number, category: int, markname: str) -> None:
        """
        Add an account to the owner's friend list.
        """
        with self._database.transaction():
            self._db.execute(
                _UPSERT_FRIENDSHIP,
                (owner, friend, category, markname),
            )
            self._db.execute(
                "DELETE FROM former_friendship WHERE owner = ? AND friend = ?",
                (owner, friend),
            )

    def remove(self, owner: Number, friend: Number) -> None:
        """
        Remove an account from the owner's friend list; a population file does
        not add it again.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM friendship WHERE owner = ? AND friend = ?",
                (owner, friend),
            )
            self._db.execute(
                "INSERT INTO former_friendship VALUES (?, ?) ON CONFLICT DO NOTHING",
                (owner, friend),
            )

    def removeBoth(self, one: Number, other: Number) -> bool:
        """
        Remove two accounts from each other's friend lists; a population file
        does not add them again.

        @return: whether either had the other in its list.
        """
        with self._database.transaction():
            removed = self._db.execute(
                "DELETE FROM friendship WHERE (owner = ?1 AND friend = ?2)"
                " OR (owner = ?2 AND friend = ?1)",
                (one, other),
            )
            if removed.rowcount > 0:
                self._db.executemany(
                    "INSERT INTO former_friendship VALUES (?, ?)"
                    " ON CONFLICT DO NOTHING",
                    [(one, other), (other, one)],
                )
        return removed.rowcount > 0

    def update(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None:
        """
        Set the category and private nickname of a friend.
        """
        self._db.execute(
            "UPDATE friendship SET category = ?, markname = ?"
            " WHERE owner = ? AND friend = ?",
            (category, markname, owner, friend),
        )

    def merge(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None:
        """
        Add a friend of a population file, inside the transaction of the
        caller. The account must not be in the list.
        """
        self._db.execute(
            "INSERT INTO friendship VALUES (?, ?, ?, ?)",
            (owner, friend, category, markname),
        )

    def wasRemoved(self, owner: Number, friend: Number) -> bool:
        """
        Check whether an account was removed from the owner's friend list.
        """
        return self._database.exists(
            "SELECT 1 FROM former_friendship WHERE owner = ? AND friend = ?",
            owner,
            friend,
        )

    def nicks(self, owner: Number, numbers: Sequence[Number]) -> dict[Number, str]:
        """
        Return the nicks of those of some numbers that have an account, in their order;
        C{""} for accounts that are not in the owner's friend list and never were.
        """
        if not numbers:
            return {}
        places = ", ".join("?" * len(numbers))
        rows = self._db.execute(
            "SELECT number, CASE WHEN EXISTS (SELECT 1 FROM friendship"
            " WHERE owner = ? AND friend = number) OR EXISTS (SELECT 1 FROM"
            " former_friendship WHERE owner = ? AND friend = number)"
            " THEN nick ELSE '' END FROM account"
            f" WHERE number IN ({places}) ORDER BY number",
            (owner, owner, *numbers),
        )
        return {Number(number): nick for number, nick in rows}

    def categories(self, owner: Number) -> list[CategoryRecord]:
        """
        Return the categories of an account's friend list.
        """
        rows = self._db.execute(
            "SELECT idx, name, sort FROM category WHERE owner = ? ORDER BY idx",
            (owner,),
        )
        return [CategoryRecord(*row) for row in rows]

    def setCategory(self, owner: Number, category: CategoryRecord) -> None:
        """
        Add a category, or replace the one with the same index.
        """
        self._db.execute(
            _UPSERT_CATEGORY,
            (owner, category.index, category.name, category.sort),
        )

    def removeCategory(self, owner: Number, index: int) -> None:
        """
        Delete a category and move its friends to the first category.
        """
        with self._database.transaction():
            self._db.execute(
                "UPDATE friendship SET category = 0 WHERE owner = ? AND category = ?",
                (owner, index),
            )
            # Unanswered requests of the owner name the category as well.
            self._db.execute(
                "UPDATE asked SET category = 0 WHERE asker = ? AND category = ?",
                (owner, index),
            )
            self._db.execute(
                "DELETE FROM category WHERE owner = ? AND idx = ?", (owner, index)
            )

    def addRequest(self, request: FriendRequestRecord) -> None:
        """
        Store a friend request, in place of an earlier one between the same
        accounts.
        """
        self._db.execute(
            _UPSERT_REQUEST,
            (
                request.number,
                request.asker,
                request.text,
                request.category,
                request.time,
                int(request.hasAdded),
            ),
        )

    def request(self, number: Number, asker: Number) -> FriendRequestRecord | None:
        """
        Return the unanswered friend request of one account to another.
        """
        row = self._db.execute(
            "SELECT text, category, time, has_added FROM asked"
            " WHERE number = ? AND asker = ?",
            (number, asker),
        ).fetchone()
        if row is None:
            return None
        text, category, time, hasAdded = row
        return FriendRequestRecord(number, asker, text, category, time, bool(hasAdded))

    def requestsTo(self, number: Number) -> list[FriendRequestRecord]:
        """
        Return the friend requests that an account has not answered, the oldest first.
        """
        rows = self._db.execute(
            "SELECT asker, text, category, time FROM asked"
            " WHERE number = ? AND has_added = 0 ORDER BY time, asker",
            (number,),
        )
        return [
            FriendRequestRecord(number, asker, text, category, time)
            for asker, text, category, time in rows
        ]

    def receivedRequestCount(self, number: Number) -> int:
        """
        Return the number of friend requests that an account has not answered.
        """
        return self._database.count(
            "SELECT count(*) FROM asked WHERE number = ?", number
        )

    def sentRequestCount(self, asker: Number) -> int:
        """
        Return the number of an account's friend requests without an answer.
        """
        return self._database.count("SELECT count(*) FROM asked WHERE asker = ?", asker)

    def deleteRequest(self, number: Number, asker: Number) -> None:
        """
        Delete the friend request of one account to another.
        """
        self._db.execute(
            "DELETE FROM asked WHERE number = ? AND asker = ?", (number, asker)
        )
