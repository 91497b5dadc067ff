"""
What the database knows of people: their details, who is whose friend, who
wants to be, and how long they have been around.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from txwebqq.model import (
    RECENT_BUDDY,
    RECENT_DISCUSSION,
    RECENT_GROUP,
    Number,
)
from txwebqq.server.records import (
    AccountRecord,
    CategoryRecord,
    FriendEntry,
    FriendRequestRecord,
    OnlineTime,
)
from txwebqq.server.storage.history import DISCUSSION, GROUP, PEOPLE
from txwebqq.server.storage.tables import TableGroup

FRIEND_SCHEMA = """
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
CREATE TABLE attendance (
    number INTEGER PRIMARY KEY,
    days INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    seconds INTEGER NOT NULL
);
"""


_LAST = (
    "(SELECT time FROM history h WHERE h.kind = {kind} AND h.place = {place}"
    " AND h.other = {other} ORDER BY h.seq DESC LIMIT 1)"
)
_WITH = _LAST.format(
    kind=PEOPLE, place="min(f.owner, f.friend)", other="max(f.owner, f.friend)"
)
_IN = _LAST.format(kind=GROUP, place="m.room", other=0)
_AMONG = _LAST.format(kind=DISCUSSION, place="d.discussion", other=0)
_RECENT = (
    "SELECT kind, place FROM ("
    f"SELECT {RECENT_BUDDY} AS kind, f.friend AS place, {_WITH} AS last"
    " FROM friendship f WHERE f.owner = :me"
    f" UNION ALL SELECT {RECENT_GROUP}, m.room, {_IN}"
    " FROM member m WHERE m.number = :me"
    f" UNION ALL SELECT {RECENT_DISCUSSION}, d.discussion, {_AMONG}"
    " FROM discussion_member d WHERE d.number = :me"
    ") WHERE last >= :since ORDER BY last DESC, kind, place LIMIT :limit"
)


class FriendStorage(Protocol):
    """
    What the rules of people and friendships keep.
    """

    def changeAccount(self, account: AccountRecord) -> None: ...

    def byEmail(self, email: str) -> AccountRecord | None: ...

    def friendEntry(self, owner: Number, friend: Number) -> FriendEntry | None: ...

    def listedBy(self, friend: Number) -> list[Number]: ...

    def friendCount(self, owner: Number) -> int: ...

    def befriend(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None: ...

    def removeFriend(self, owner: Number, friend: Number) -> None: ...

    def changeFriend(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None: ...

    def setCategory(self, owner: Number, category: CategoryRecord) -> None: ...

    def removeCategory(self, owner: Number, index: int) -> None: ...

    def addFriendRequest(self, request: FriendRequestRecord) -> None: ...

    def friendRequest(
        self, number: Number, asker: Number
    ) -> FriendRequestRecord | None: ...

    def friendRequestCount(self, number: Number) -> int: ...

    def sentRequestCount(self, asker: Number) -> int: ...

    def deleteFriendRequest(self, number: Number, asker: Number) -> None: ...

    def onlineTime(self, number: Number) -> OnlineTime: ...

    def countDay(self, number: Number, day: int, days: int) -> None: ...

    def addSeconds(self, number: Number, seconds: int) -> None: ...

    def recent(
        self, number: Number, since: int, limit: int
    ) -> list[tuple[int, Number]]: ...


class FriendStore(TableGroup):
    """
    The part of the store that answers for people.
    """

    # ---- details

    def changeAccount(self, account: AccountRecord) -> None:
        """
        Keep what somebody tells about themselves.
        """
        self._db.execute(
            "UPDATE account SET nick = ?, face = ?, profile = ? WHERE number = ?",
            (
                account.nick,
                account.face,
                json.dumps(dict(account.profile)),
                account.number,
            ),
        )

    def byEmail(self, email: str) -> AccountRecord | None:
        """
        The first account that tells this mail address.
        """
        row = self._db.execute(
            "SELECT number, first_hash, nick, face, profile FROM account"
            " WHERE lower(json_extract(profile, '$.email')) = lower(?)"
            " ORDER BY number LIMIT 1",
            (email,),
        ).fetchone()
        if row is None:
            return None
        profile: Mapping[str, Any] = json.loads(row[4])
        return AccountRecord(row[0], row[1], row[2], row[3], profile)

    # ---- friends

    def friendEntry(self, owner: Number, friend: Number) -> FriendEntry | None:
        """
        How somebody keeps a friend, if they do.
        """
        row = self._db.execute(
            "SELECT category, markname FROM friendship WHERE owner = ? AND friend = ?",
            (owner, friend),
        ).fetchone()
        return None if row is None else FriendEntry(*row)

    def listedBy(self, friend: Number) -> list[Number]:
        """
        The accounts that have somebody for a friend.
        """
        rows = self._db.execute(
            "SELECT owner FROM friendship WHERE friend = ?", (friend,)
        )
        return [owner for (owner,) in rows]

    def friendCount(self, owner: Number) -> int:
        """
        How many friends somebody has.
        """
        return self._number("SELECT count(*) FROM friendship WHERE owner = ?", owner)

    def befriend(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None:
        """
        Put somebody into another one's list.
        """
        with self._database.transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO friendship VALUES (?, ?, ?, ?)",
                (owner, friend, category, markname),
            )
            self._db.execute(
                "DELETE FROM former_friendship WHERE owner = ? AND friend = ?",
                (owner, friend),
            )

    def removeFriend(self, owner: Number, friend: Number) -> None:
        """
        Take somebody out of another one's list; a population file does not
        put them back.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM friendship WHERE owner = ? AND friend = ?",
                (owner, friend),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO former_friendship VALUES (?, ?)",
                (owner, friend),
            )

    def changeFriend(
        self, owner: Number, friend: Number, category: int, markname: str
    ) -> None:
        """
        Keep a friend otherwise.
        """
        self._db.execute(
            "UPDATE friendship SET category = ?, markname = ?"
            " WHERE owner = ? AND friend = ?",
            (category, markname, owner, friend),
        )

    def _wereFriends(self, owner: Number, friend: Number) -> bool:
        query = "SELECT 1 FROM former_friendship WHERE owner = ? AND friend = ?"
        return self._db.execute(query, (owner, friend)).fetchone() is not None

    def setCategory(self, owner: Number, category: CategoryRecord) -> None:
        """
        Keep a category, a new one or one that is there.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO category VALUES (?, ?, ?, ?)",
            (owner, category.index, category.name, category.sort),
        )

    def removeCategory(self, owner: Number, index: int) -> None:
        """
        Forget a category; whoever is in it goes into the first.
        """
        with self._database.transaction():
            self._db.execute(
                "UPDATE friendship SET category = 0 WHERE owner = ? AND category = ?",
                (owner, index),
            )
            # Also whoever would come into it.
            self._db.execute(
                "UPDATE asked SET category = 0 WHERE asker = ? AND category = ?",
                (owner, index),
            )
            self._db.execute(
                "DELETE FROM category WHERE owner = ? AND idx = ?", (owner, index)
            )

    # ---- who has asked

    def addFriendRequest(self, request: FriendRequestRecord) -> None:
        """
        Keep that somebody wants to be another one's friend.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO asked VALUES (?, ?, ?, ?, ?, ?)",
            (
                request.number,
                request.asker,
                request.text,
                request.category,
                request.time,
                request.hasAdded,
            ),
        )

    def friendRequest(
        self, number: Number, asker: Number
    ) -> FriendRequestRecord | None:
        """
        What somebody wrote who wants to be another one's friend.
        """
        row = self._db.execute(
            "SELECT number, asker, text, category, time, has_added FROM asked"
            " WHERE number = ? AND asker = ?",
            (number, asker),
        ).fetchone()
        if row is None:
            return None
        _, _, text, category, time, hasAdded = row
        return FriendRequestRecord(number, asker, text, category, time, bool(hasAdded))

    def friendRequestCount(self, number: Number) -> int:
        """
        How many people somebody has not answered.
        """
        return self._number("SELECT count(*) FROM asked WHERE number = ?", number)

    def sentRequestCount(self, asker: Number) -> int:
        """
        How many people have not answered somebody.
        """
        return self._number("SELECT count(*) FROM asked WHERE asker = ?", asker)

    def deleteFriendRequest(self, number: Number, asker: Number) -> None:
        """
        Forget that somebody wants to be another one's friend.
        """
        self._db.execute(
            "DELETE FROM asked WHERE number = ? AND asker = ?", (number, asker)
        )

    # ---- time spent

    def onlineTime(self, number: Number) -> OnlineTime:
        """
        How long somebody has been around.
        """
        row = self._db.execute(
            "SELECT days, seconds FROM attendance WHERE number = ?", (number,)
        ).fetchone()
        return OnlineTime() if row is None else OnlineTime(*row)

    def countDay(self, number: Number, day: int, days: int) -> None:
        """
        Count a day, and those before it up to C{days}, unless they were
        counted before.
        """
        self._db.execute(
            "INSERT INTO attendance VALUES (?1, ?3, ?2, 0)"
            " ON CONFLICT (number) DO UPDATE SET"
            " days = days + min(?3, ?2 - last_day), last_day = ?2"
            " WHERE last_day < ?2",
            (number, day, days),
        )

    def addSeconds(self, number: Number, seconds: int) -> None:
        """
        Count the time of somebody who leaves.
        """
        self._db.execute(
            "UPDATE attendance SET seconds = seconds + ? WHERE number = ?",
            (seconds, number),
        )

    # ---- conversations

    def recent(
        self, number: Number, since: int, limit: int
    ) -> list[tuple[int, Number]]:
        """
        The conversations of somebody in which something was said since a time,
        the last first: what kind they are, and the friend, the group or the
        discussion.
        """
        return self._db.execute(
            _RECENT, {"me": number, "since": since, "limit": limit}
        ).fetchall()

    def _number(self, query: str, *values: int) -> int:
        (number,) = self._db.execute(query, values).fetchone()
        return int(number)
