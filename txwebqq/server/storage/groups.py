"""
Tables of groups: their members, cards and join requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from txwebqq.databases.interface import Database
from txwebqq.databases.statements import asciiLower, upsert
from txwebqq.model import BusinessCard, Number
from txwebqq.server.records import (
    GroupEntry,
    GroupMemberRecord,
    GroupMembership,
    GroupRecord,
    JoinRequest,
)
from txwebqq.server.storage.conversations.history import GROUP
from txwebqq.server.storage.conversations.readmarkers import markJoined

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

LOWEST_CREATED, HIGHEST_CREATED = 800_000_001, 1_999_999_999
"""Lowest and highest number of groups and discussions that clients create: far
from those that operators write into population files."""

MAX_JOIN_REQUESTS = 1000
"""Maximum number of requests to join that an administrator is given at once."""

_UPSERT_GLOBAL_MASK = upsert("global_mask", "number", "mask")
_UPSERT_CARD = upsert("business_card", "room number", "phone email remark gender")


def _likePattern(words: str) -> str:
    """
    Return an SQL C{LIKE} pattern for lower-case texts that contain these words.
    """
    words = asciiLower(words)
    for special in "\\%_":
        words = words.replace(special, "\\" + special)
    return f"%{words}%"


class GroupStore:
    """
    The groups in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def memberships(self, number: Number) -> list[GroupMembership]:
        """
        Return the groups of an account, with its settings for each.
        """
        rows = self._db.execute(
            "SELECT r.number, r.name, m.markname, m.mask"
            " FROM member m JOIN room r ON r.number = m.room WHERE m.number = ?"
            " ORDER BY m.room",
            (number,),
        )
        return [GroupMembership(*row) for row in rows]

    def membership(self, group: Number, number: Number) -> GroupMembership | None:
        """
        Return a group and its settings for an account, L{None} for non-members.
        """
        row = self._db.execute(
            "SELECT r.number, r.name, m.markname, m.mask FROM member m"
            " JOIN room r ON r.number = m.room WHERE m.room = ? AND m.number = ?",
            (group, number),
        ).fetchone()
        return None if row is None else GroupMembership(*row)

    def get(self, number: Number) -> GroupRecord | None:
        """
        Return a group, or L{None} if there is none or it was dissolved.
        """
        row = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            " FROM room WHERE number = ? AND dissolved = 0",
            (number,),
        ).fetchone()
        return None if row is None else GroupRecord(*row)

    def ownedCount(self, number: Number) -> int:
        """
        Return the number of groups that an account owns.
        """
        return self._database.count(
            "SELECT count(*) FROM room WHERE owner = ? AND dissolved = 0", number
        )

    def isMember(self, group: Number, number: Number) -> bool:
        """
        Check whether an account is a member of a group.
        """
        return self.memberFlag(group, number) is not None

    def memberFlag(self, group: Number, number: Number) -> int | None:
        """
        Return the flag of a member, or L{None} for a non-member.
        """
        row = self._db.execute(
            "SELECT flag FROM member WHERE room = ? AND number = ?", (group, number)
        ).fetchone()
        return None if row is None else int(row[0])

    def memberNumbers(self, group: Number) -> list[Number]:
        """
        Return the numbers of a group's members.
        """
        rows = self._db.execute(
            "SELECT number FROM member WHERE room = ? ORDER BY number", (group,)
        )
        return [number for (number,) in rows]

    def memberCount(self, group: Number) -> int:
        """
        Return the number of members of a group.
        """
        return self._database.count("SELECT count(*) FROM member WHERE room = ?", group)

    def adminNumbers(self, group: Number) -> list[Number]:
        """
        Return the numbers of a group's owner and administrators.
        """
        rows = self._db.execute(
            "SELECT m.number FROM member m JOIN room r ON r.number = m.room"
            " WHERE m.room = ? AND ((m.flag & 1) = 1 OR m.number = r.owner)"
            " ORDER BY m.number",
            (group,),
        )
        return [number for (number,) in rows]

    def recipients(self, group: Number) -> list[Number]:
        """
        Return the numbers of the members who receive the group's messages:
        those whose message mask does not block the group.
        """
        rows = self._db.execute(
            "SELECT m.number FROM member m LEFT JOIN global_mask g"
            " ON g.number = m.number WHERE m.room = ?"
            " AND (CASE coalesce(g.mask, 0) WHEN 0 THEN m.mask <> 2"
            " ELSE g.mask <> 3 END) ORDER BY m.number",
            (group,),
        )
        return [number for (number,) in rows]

    def members(self, group: Number) -> list[GroupMemberRecord]:
        """
        Return the members of a group with their nicks and profiles.
        """
        rows = self._db.execute(
            "SELECT m.number, a.nick, m.card, m.flag, a.profile"
            " FROM member m JOIN account a ON a.number = m.number WHERE m.room = ?"
            " ORDER BY m.number",
            (group,),
        )
        return [
            GroupMemberRecord(number, nick, card, flag, json.loads(profile))
            for number, nick, card, flag, profile in rows
        ]

    def find(
        self, words: str, limit: int, offset: int
    ) -> tuple[list[GroupRecord], int]:
        """
        Find the groups that can be joined whose number is C{words}, or whose
        name contains them.

        @return: one page of the groups, and the number of all that match.
        """
        number = int(words) if words.isascii() and words.isdigit() else 0
        # SQLite integers end at 2**63 - 1.
        condition = (
            " FROM room WHERE dissolved = 0 AND option <> 3"
            " AND (number = ? OR lower(name) LIKE ? ESCAPE '\\')"
        )
        values = (number if number < 2**63 else 0, _likePattern(words))
        rows = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            f"{condition} ORDER BY number <> ?, number LIMIT ? OFFSET ?",
            (*values, values[0], limit, offset),
        )
        return [GroupRecord(*row) for row in rows], self._database.count(
            f"SELECT count(*){condition}", *values
        )

    def create(self, group: GroupRecord, members: Iterable[Number]) -> Number:
        """
        Add a group with the next free number.

        @param group: its number is ignored.

        @return: the number of the new group.
        """
        with self._database.transaction():
            self._database.lockTable("room")
            number = Number(
                self._database.count(
                    "SELECT coalesce(max(number), ?1 - 1) + 1 FROM room"
                    " WHERE number BETWEEN ?1 AND ?2",
                    LOWEST_CREATED,
                    HIGHEST_CREATED,
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
            "INSERT INTO room"
            " (number, name, owner, memo, description, created, option)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
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

    def update(self, group: GroupRecord) -> None:
        """
        Set the name, owner, texts and join option of a group.
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

    def dissolve(self, group: Number) -> None:
        """
        Dissolve a group: delete its members, cards, mutes, join requests, files
        and reactions. Its number stays in the database, so that no other group gets it.
        """
        with self._database.transaction():
            self._db.execute("UPDATE room SET dissolved = 1 WHERE number = ?", (group,))
            for table in (
                "member",
                "business_card",
                "application",
                "mute",
                "group_file",
                "reaction",
            ):
                self._db.execute(f"DELETE FROM {table} WHERE room = ?", (group,))

    def addMember(self, group: Number, number: Number) -> None:
        """
        Add a member to a group and delete their join request.
        """
        with self._database.transaction():
            if not self.isMember(group, number):
                markJoined(self._database, GROUP, group, [number])
            self._db.execute(
                "INSERT INTO member (room, number) VALUES (?, ?)"
                " ON CONFLICT DO NOTHING",
                (group, number),
            )
            self._db.execute(
                "DELETE FROM application WHERE room = ? AND number = ?",
                (group, number),
            )
            self._db.execute(
                "DELETE FROM former"
                " WHERE place = ? AND number = ? AND is_discussion = 0",
                (group, number),
            )

    def removeMember(self, group: Number, number: Number) -> None:
        """
        Remove a member, with their card and mute, from a group; a population file
        does not add them again.
        """
        with self._database.transaction():
            for table in ("member", "business_card", "mute"):
                self._db.execute(
                    f"DELETE FROM {table} WHERE room = ? AND number = ?",
                    (group, number),
                )
            self._db.execute(
                "INSERT INTO former VALUES (?, ?, 0) ON CONFLICT DO NOTHING",
                (group, number),
            )

    def setFlag(self, group: Number, number: Number, flag: int) -> None:
        """
        Set the flag of a member.
        """
        self._db.execute(
            "UPDATE member SET flag = ? WHERE room = ? AND number = ?",
            (flag, group, number),
        )

    def setMarkname(self, group: Number, number: Number, markname: str) -> None:
        """
        Set a member's private name for a group.
        """
        self._db.execute(
            "UPDATE member SET markname = ? WHERE room = ? AND number = ?",
            (markname, group, number),
        )

    def setMask(self, group: Number, number: Number, mask: int) -> None:
        """
        Set a member's message mask for a group.
        """
        self._db.execute(
            "UPDATE member SET mask = ? WHERE room = ? AND number = ?",
            (mask, group, number),
        )

    def globalMask(self, number: Number) -> int:
        """
        Return an account's message mask for all groups, 0 if it set none.
        """
        row = self._db.execute(
            "SELECT mask FROM global_mask WHERE number = ?", (number,)
        ).fetchone()
        return 0 if row is None else int(row[0])

    def setGlobalMask(self, number: Number, mask: int) -> None:
        """
        Set an account's message mask for all groups.
        """
        self._db.execute(_UPSERT_GLOBAL_MASK, (number, mask))

    def ownedBy(self, owner: Number) -> list[Number]:
        """
        Return the numbers of the groups that an account owns.
        """
        rows = self._db.execute(
            "SELECT number FROM room WHERE owner = ? AND dissolved = 0 ORDER BY number",
            (owner,),
        )
        return [number for (number,) in rows]

    def card(self, group: Number, number: Number) -> BusinessCard | None:
        """
        Return the business card of a member, or L{None} if it is empty.
        """
        row = self._db.execute(
            "SELECT m.card, coalesce(b.phone, ''), coalesce(b.email, ''),"
            " coalesce(b.remark, ''), coalesce(b.gender, 2) FROM member m"
            " LEFT JOIN business_card b ON b.room = m.room AND b.number = m.number"
            " WHERE m.room = ? AND m.number = ?",
            (group, number),
        ).fetchone()
        card = BusinessCard() if row is None else BusinessCard(*row)
        return None if card == BusinessCard() else card

    def setCard(self, group: Number, number: Number, card: BusinessCard) -> None:
        """
        Set the business card of a member.
        """
        with self._database.transaction():
            self._db.execute(
                "UPDATE member SET card = ? WHERE room = ? AND number = ?",
                (card.name, group, number),
            )
            self._db.execute(
                _UPSERT_CARD,
                (group, number, card.phone, card.email, card.remark, card.gender),
            )

    def addJoinRequest(self, joinRequest: JoinRequest) -> bool:
        """
        Store a request to join a group, unless there is one of the account.

        @return: whether it was stored.
        """
        added = self._db.execute(
            "INSERT INTO application VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
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
        Return the unanswered request of an account to join a group.
        """
        row = self._db.execute(
            "SELECT room, number, text, time FROM application"
            " WHERE room = ? AND number = ?",
            (group, number),
        ).fetchone()
        return None if row is None else JoinRequest(*row)

    def deleteJoinRequest(self, group: Number, number: Number) -> None:
        """
        Delete the request of an account to join a group.
        """
        self._db.execute(
            "DELETE FROM application WHERE room = ? AND number = ?", (group, number)
        )

    def hasJoinRequestTo(self, number: Number, admin: Number) -> bool:
        """
        Check whether an account has asked to join a group that another
        account administers.
        """
        return self._database.exists(
            "SELECT 1 FROM application a JOIN member m ON m.room = a.room"
            " JOIN room r ON r.number = a.room WHERE a.number = ?"
            " AND m.number = ? AND ((m.flag & 1) = 1 OR m.number = r.owner)",
            number,
            admin,
        )

    def joinRequestsTo(self, admin: Number) -> list[JoinRequest]:
        """
        Return the unanswered requests to join the groups that an account administers,
        the oldest first.
        """
        rows = self._db.execute(
            "SELECT a.room, a.number, a.text, a.time FROM member m"
            " JOIN room r ON r.number = m.room JOIN application a ON a.room = m.room"
            " WHERE m.number = ? AND ((m.flag & 1) = 1 OR m.number = r.owner)"
            " ORDER BY a.time, a.room, a.number LIMIT ?",
            (admin, MAX_JOIN_REQUESTS),
        )
        return [JoinRequest(*row) for row in rows]

    def shareGroup(self, number: Number, other: Number) -> bool:
        """
        Check whether two accounts are members of one group.
        """
        return self._database.exists(
            "SELECT 1 FROM member a JOIN member b ON b.room = a.room"
            " WHERE a.number = ? AND b.number = ?",
            number,
            other,
        )

    def merge(self, entry: GroupEntry) -> None:
        """
        Add a group of a population file and the members that it does not have
        yet, inside the transaction of the caller.

        A dissolved group stays dissolved, and a removed member removed.
        """
        number = entry.group.number
        self._insertGroup(number, entry.group)
        if self.get(number) is None:
            return
        rows = self._db.execute(
            "SELECT number FROM former WHERE place = ? AND is_discussion = 0",
            (number,),
        )
        removed = {member for (member,) in rows}
        new = set(entry.members) - removed - set(self.memberNumbers(number))
        markJoined(self._database, GROUP, number, new)
        self._db.executemany(
            "INSERT INTO member (room, number, card, flag)"
            " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (
                (number, n, entry.cards.get(n, ""), int(n in entry.admins))
                for n in entry.members
                if n in new
            ),
        )
