"""
What the database knows of groups, and of who is in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from txwebqq.model import BusinessCard, Number
from txwebqq.server.records import (
    GroupEntry,
    GroupMemberRecord,
    GroupMembership,
    GroupRecord,
    JoinRequest,
)
from txwebqq.server.storage.tables import TableGroup

GROUP_SCHEMA = """
CREATE TABLE room (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    memo TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    created INTEGER NOT NULL DEFAULT 0,
    option INTEGER NOT NULL DEFAULT 2,
    dissolved INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX room_by_owner ON room (owner);
CREATE TABLE member (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    card TEXT NOT NULL DEFAULT '',
    flag INTEGER NOT NULL DEFAULT 0,
    markname TEXT NOT NULL DEFAULT '',
    mask INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (room, number)
) WITHOUT ROWID;
CREATE INDEX member_by_number ON member (number, room);
CREATE TABLE business_card (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    remark TEXT NOT NULL,
    gender INTEGER NOT NULL,
    PRIMARY KEY (room, number)
) WITHOUT ROWID;
CREATE TABLE application (
    room INTEGER NOT NULL,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (room, number)
) WITHOUT ROWID;
CREATE TABLE former (
    place INTEGER NOT NULL,
    number INTEGER NOT NULL,
    is_discussion INTEGER NOT NULL,
    PRIMARY KEY (place, number, is_discussion)
) WITHOUT ROWID;
CREATE TABLE global_mask (
    number INTEGER PRIMARY KEY,
    mask INTEGER NOT NULL
);
"""

FIRST_OF_OURS, LAST_OF_OURS = 800_000_001, 1_999_999_999
"""The numbers of groups and discussions that people make themselves: far from
those that operators write into their files."""


class GroupStorage(Protocol):
    """
    What the rules of groups keep.
    """

    def memberships(self, number: Number) -> list[GroupMembership]: ...

    def membership(self, group: Number, number: Number) -> GroupMembership | None: ...

    def group(self, number: Number) -> GroupRecord | None: ...

    def groupsOwned(self, number: Number) -> int: ...

    def isMember(self, group: Number, number: Number) -> bool: ...

    def memberFlag(self, group: Number, number: Number) -> int | None: ...

    def memberNumbers(self, group: Number) -> list[Number]: ...

    def memberCount(self, group: Number) -> int: ...

    def adminNumbers(self, group: Number) -> list[Number]: ...

    def recipients(self, group: Number) -> list[Number]: ...

    def members(self, group: Number) -> list[GroupMemberRecord]: ...

    def findGroups(
        self, words: str, limit: int, offset: int
    ) -> tuple[list[GroupRecord], int]: ...

    def createGroup(self, group: GroupRecord, members: Iterable[Number]) -> Number: ...

    def changeGroup(self, group: GroupRecord) -> None: ...

    def dissolveGroup(self, group: Number) -> None: ...

    def addMember(self, group: Number, number: Number) -> None: ...

    def removeMember(self, group: Number, number: Number) -> None: ...

    def setFlag(self, group: Number, number: Number, flag: int) -> None: ...

    def setMarkname(self, group: Number, number: Number, markname: str) -> None: ...

    def setMask(self, group: Number, number: Number, mask: int) -> None: ...

    def globalMask(self, number: Number) -> int: ...

    def setGlobalMask(self, number: Number, mask: int) -> None: ...

    def card(self, group: Number, number: Number) -> BusinessCard | None: ...

    def setCard(self, group: Number, number: Number, card: BusinessCard) -> None: ...

    def addJoinRequest(self, joinRequest: JoinRequest) -> bool: ...

    def joinRequest(self, group: Number, number: Number) -> JoinRequest | None: ...

    def deleteJoinRequest(self, group: Number, number: Number) -> None: ...

    def hasAskedFor(self, number: Number, other: Number) -> bool: ...


def _escaped(words: str) -> str:
    for special in "\\%_":
        words = words.replace(special, "\\" + special)
    return f"%{words}%"


class GroupStore(TableGroup):
    """
    The part of the store that answers for groups.
    """

    def memberships(self, number: Number) -> list[GroupMembership]:
        """
        The groups that an account is in.
        """
        rows = self._db.execute(
            "SELECT r.number, r.name, m.markname, m.mask"
            " FROM member m JOIN room r ON r.number = m.room WHERE m.number = ?",
            (number,),
        )
        return [GroupMembership(*row) for row in rows]

    def membership(self, group: Number, number: Number) -> GroupMembership | None:
        """
        A group, if the account is in it.
        """
        row = self._db.execute(
            "SELECT r.number, r.name, m.markname, m.mask FROM member m"
            " JOIN room r ON r.number = m.room WHERE m.room = ? AND m.number = ?",
            (group, number),
        ).fetchone()
        return None if row is None else GroupMembership(*row)

    def group(self, number: Number) -> GroupRecord | None:
        """
        A group that was not dissolved.
        """
        row = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            " FROM room WHERE number = ? AND NOT dissolved",
            (number,),
        ).fetchone()
        return None if row is None else GroupRecord(*row)

    def groupsOwned(self, number: Number) -> int:
        """
        How many groups are an account's own.
        """
        return self._count(
            "SELECT count(*) FROM room WHERE owner = ? AND NOT dissolved", number
        )

    def isMember(self, group: Number, number: Number) -> bool:
        """
        Whether an account is in a group.
        """
        return self.memberFlag(group, number) is not None

    def memberFlag(self, group: Number, number: Number) -> int | None:
        """
        The flag of a member, L{None} for anybody else.
        """
        row = self._db.execute(
            "SELECT flag FROM member WHERE room = ? AND number = ?", (group, number)
        ).fetchone()
        return None if row is None else int(row[0])

    def memberNumbers(self, group: Number) -> list[Number]:
        """
        The numbers of a group's members.
        """
        rows = self._db.execute("SELECT number FROM member WHERE room = ?", (group,))
        return [number for (number,) in rows]

    def memberCount(self, group: Number) -> int:
        """
        How many members a group has.
        """
        return self._count("SELECT count(*) FROM member WHERE room = ?", group)

    def adminNumbers(self, group: Number) -> list[Number]:
        """
        The numbers of a group's owner and administrators.
        """
        rows = self._db.execute(
            "SELECT m.number FROM member m JOIN room r ON r.number = m.room"
            " WHERE m.room = ? AND (m.flag & 1 OR m.number = r.owner)",
            (group,),
        )
        return [number for (number,) in rows]

    def recipients(self, group: Number) -> list[Number]:
        """
        The numbers of the members who want to receive a group's messages.
        """
        rows = self._db.execute(
            "SELECT m.number FROM member m LEFT JOIN global_mask g"
            " ON g.number = m.number WHERE m.room = ?"
            " AND (CASE ifnull(g.mask, 0) WHEN 0 THEN m.mask <> 2"
            " ELSE g.mask <> 3 END)",
            (group,),
        )
        return [number for (number,) in rows]

    def members(self, group: Number) -> list[GroupMemberRecord]:
        """
        A group's members.
        """
        rows = self._db.execute(
            "SELECT m.number, a.nick, m.card, m.flag, a.profile"
            " FROM member m JOIN account a ON a.number = m.number WHERE m.room = ?",
            (group,),
        )
        return [
            GroupMemberRecord(number, nick, card, flag, json.loads(profile))
            for number, nick, card, flag, profile in rows
        ]

    def findGroups(
        self, words: str, limit: int, offset: int
    ) -> tuple[list[GroupRecord], int]:
        """
        Some of the groups that one can join whose number is C{words}, or whose
        name has them in it; and how many there are in all.
        """
        number = int(words) if words.isascii() and words.isdigit() else 0
        # What does not fit into a database is nobody's number.
        condition = (
            " FROM room WHERE NOT dissolved AND option <> 3"
            " AND (number = ? OR name LIKE ? ESCAPE '\\')"
        )
        values = (number if number < 2**63 else 0, _escaped(words))
        rows = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            f"{condition} ORDER BY number <> ?, number LIMIT ? OFFSET ?",
            (*values, values[0], limit, offset),
        )
        return [GroupRecord(*row) for row in rows], self._count(
            f"SELECT count(*){condition}", *values
        )

    def createGroup(self, group: GroupRecord, members: Iterable[Number]) -> Number:
        """
        Add a group.

        @param group: its number is of no account.

        @return: the number that it has.
        """
        with self._database.transaction():
            number = Number(
                self._count(
                    "SELECT ifnull(max(number), ?1 - 1) + 1 FROM room"
                    " WHERE number BETWEEN ?1 AND ?2",
                    FIRST_OF_OURS,
                    LAST_OF_OURS,
                )
            )
            self._insertGroup(number, group)
            self._db.executemany(
                "INSERT INTO member (room, number) VALUES (?, ?)",
                ((number, member) for member in members),
            )
        return number

    def _insertGroup(self, number: Number, group: GroupRecord) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO room"
            " (number, name, owner, memo, description, created, option)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                group.name,
                group.owner,
                group.memo,
                group.description,
                group.created,
                group.option,
            ),
        )

    def changeGroup(self, group: GroupRecord) -> None:
        """
        Keep another owner, or what else a group says of itself.
        """
        self._db.execute(
            "UPDATE room SET name = ?, owner = ?, memo = ?, description = ?,"
            " option = ? WHERE number = ?",
            (
                group.name,
                group.owner,
                group.memo,
                group.description,
                group.option,
                group.number,
            ),
        )

    def dissolveGroup(self, group: Number) -> None:
        """
        Forget a group, but for its number, which no other will have.
        """
        with self._database.transaction():
            self._db.execute("UPDATE room SET dissolved = 1 WHERE number = ?", (group,))
            for table in ("member", "business_card", "application"):
                self._db.execute(f"DELETE FROM {table} WHERE room = ?", (group,))

    def addMember(self, group: Number, number: Number) -> None:
        """
        Take somebody in.
        """
        with self._database.transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO member (room, number) VALUES (?, ?)",
                (group, number),
            )
            self._db.execute(
                "DELETE FROM application WHERE room = ? AND number = ?",
                (group, number),
            )
            self._db.execute(
                "DELETE FROM former"
                " WHERE place = ? AND number = ? AND NOT is_discussion",
                (group, number),
            )

    def removeMember(self, group: Number, number: Number) -> None:
        """
        Let somebody go, with what they kept there.
        """
        with self._database.transaction():
            for table in ("member", "business_card"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE room = ? AND number = ?",
                    (group, number),
                )
            self._db.execute(
                "INSERT OR IGNORE INTO former VALUES (?, ?, 0)", (group, number)
            )

    def setFlag(self, group: Number, number: Number, flag: int) -> None:
        """
        Keep a member's flag.
        """
        self._db.execute(
            "UPDATE member SET flag = ? WHERE room = ? AND number = ?",
            (flag, group, number),
        )

    def setMarkname(self, group: Number, number: Number, markname: str) -> None:
        """
        Keep what a member calls a group.
        """
        self._db.execute(
            "UPDATE member SET markname = ? WHERE room = ? AND number = ?",
            (markname, group, number),
        )

    def setMask(self, group: Number, number: Number, mask: int) -> None:
        """
        Keep what a member does with a group's messages.
        """
        self._db.execute(
            "UPDATE member SET mask = ? WHERE room = ? AND number = ?",
            (mask, group, number),
        )

    def globalMask(self, number: Number) -> int:
        """
        What an account does with the messages of all groups.
        """
        row = self._db.execute(
            "SELECT mask FROM global_mask WHERE number = ?", (number,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def setGlobalMask(self, number: Number, mask: int) -> None:
        """
        Keep what an account does with the messages of all groups.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO global_mask VALUES (?, ?)", (number, mask)
        )

    # ---- cards

    def card(self, group: Number, number: Number) -> BusinessCard | None:
        """
        What a member tells about themselves, L{None} for nothing.
        """
        row = self._db.execute(
            "SELECT m.card, ifnull(b.phone, ''), ifnull(b.email, ''),"
            " ifnull(b.remark, ''), ifnull(b.gender, 2) FROM member m"
            " LEFT JOIN business_card b ON b.room = m.room AND b.number = m.number"
            " WHERE m.room = ? AND m.number = ?",
            (group, number),
        ).fetchone()
        card = BusinessCard() if row is None else BusinessCard(*row)
        return None if card == BusinessCard() else card

    def setCard(self, group: Number, number: Number, card: BusinessCard) -> None:
        """
        Keep what a member tells about themselves.
        """
        with self._database.transaction():
            self._db.execute(
                "UPDATE member SET card = ? WHERE room = ? AND number = ?",
                (card.name, group, number),
            )
            self._db.execute(
                "INSERT OR REPLACE INTO business_card VALUES (?, ?, ?, ?, ?, ?)",
                (group, number, card.phone, card.email, card.remark, card.gender),
            )

    # ---- who wants in

    def addJoinRequest(self, joinRequest: JoinRequest) -> bool:
        """
        Keep that somebody wants into a group.

        @return: whether that was not known yet.
        """
        added = self._db.execute(
            "INSERT OR IGNORE INTO application VALUES (?, ?, ?, ?)",
            (
                joinRequest.group,
                joinRequest.number,
                joinRequest.text,
                joinRequest.time,
            ),
        )
        return added.rowcount == 1

    def joinRequest(self, group: Number, number: Number) -> JoinRequest | None:
        """
        What somebody wrote who wants into a group.
        """
        row = self._db.execute(
            "SELECT room, number, text, time FROM application"
            " WHERE room = ? AND number = ?",
            (group, number),
        ).fetchone()
        return None if row is None else JoinRequest(*row)

    def deleteJoinRequest(self, group: Number, number: Number) -> None:
        """
        Forget that somebody wants into a group.
        """
        self._db.execute(
            "DELETE FROM application WHERE room = ? AND number = ?", (group, number)
        )

    def hasAskedFor(self, number: Number, other: Number) -> bool:
        """
        Whether somebody wants into a group that another administers.
        """
        row = self._first(
            "SELECT 1 FROM application a JOIN member m ON m.room = a.room"
            " JOIN room r ON r.number = a.room WHERE a.number = ?"
            " AND m.number = ? AND (m.flag & 1 OR m.number = r.owner)",
            number,
            other,
        )
        return row is not None

    # ---- merging

    def _mergeGroup(self, entry: GroupEntry) -> None:
        number = entry.group.number
        self._insertGroup(number, entry.group)
        if self.group(number) is None:
            # Dissolved, and a file that is read again does not bring it back.
            return
        gone = self._former(number, isDiscussion=False)
        self._db.executemany(
            "INSERT OR IGNORE INTO member (room, number, card, flag)"
            " VALUES (?, ?, ?, ?)",
            (
                (number, n, entry.cards.get(n, ""), int(n in entry.admins))
                for n in entry.members
                if n not in gone
            ),
        )
