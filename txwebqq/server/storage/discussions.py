"""
Tables of discussions and their members.
"""

from __future__ import annotations

from collections.abc import Iterable

from txwebqq.databases.interface import Database
from txwebqq.model import Number
from txwebqq.server.records import (
    DiscussionEntry,
    DiscussionMembership,
    DiscussionRecord,
)
from txwebqq.server.storage.conversations.history import DISCUSSION
from txwebqq.server.storage.conversations.readmarkers import markJoined
from txwebqq.server.storage.groups import HIGHEST_CREATED, LOWEST_CREATED

DISCUSSION_SCHEMA = """
CREATE TABLE discussion (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    owner INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE discussion_member (
    discussion INTEGER NOT NULL,
    number INTEGER NOT NULL,
    mask INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (discussion, number)
) WITHOUT ROWID;
CREATE INDEX discussion_member_by_number ON discussion_member (number, discussion);
"""


class DiscussionStore:
    """
    The discussions in the database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def memberships(self, number: Number) -> list[DiscussionMembership]:
        """
        Return the discussions of an account, with its message mask for each.
        """
        rows = self._db.execute(
            "SELECT d.number, d.name, m.mask FROM discussion_member m"
            " JOIN discussion d ON d.number = m.discussion WHERE m.number = ?"
            " ORDER BY m.discussion",
            (number,),
        )
        return [DiscussionMembership(*row) for row in rows]

    def get(self, number: Number) -> DiscussionRecord | None:
        """
        Return a discussion, or L{None} if there is none with this number.
        """
        row = self._db.execute(
            "SELECT number, name, owner, version FROM discussion WHERE number = ?",
            (number,),
        ).fetchone()
        return None if row is None else DiscussionRecord(*row)

    def isMember(self, discussion: Number, number: Number) -> bool:
        """
        Check whether an account is a member of a discussion.
        """
        return self._database.exists(
            "SELECT 1 FROM discussion_member WHERE discussion = ? AND number = ?",
            discussion,
            number,
        )

    def memberNumbers(self, discussion: Number) -> list[Number]:
        """
        Return the numbers of a discussion's members, in the order in which they
        were added.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ?"
            " ORDER BY turn, number",
            (discussion,),
        )
        return [number for (number,) in rows]

    def recipients(self, discussion: Number) -> list[Number]:
        """
        Return the numbers of the members who receive the discussion's
        messages.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ? AND mask <> 2"
            " ORDER BY number",
            (discussion,),
        )
        return [number for (number,) in rows]

    def members(self, discussion: Number) -> list[tuple[Number, str]]:
        """
        Return the numbers and nicks of a discussion's members, in the order in
        which they were added.
        """
        return self._db.execute(
            "SELECT m.number, a.nick FROM discussion_member m"
            " JOIN account a ON a.number = m.number WHERE m.discussion = ?"
            " ORDER BY m.turn, m.number",
            (discussion,),
        ).fetchall()

    def ownedCount(self, number: Number) -> int:
        """
        Return the number of discussions that an account owns and is a member
        of.
        """
        return self._database.count(
            "SELECT count(*) FROM discussion_member m JOIN discussion d"
            " ON d.number = m.discussion WHERE m.number = ?1 AND d.owner = ?1",
            number,
        )

    def create(self, name: str, owner: Number, members: Iterable[Number]) -> Number:
        """
        Add a discussion with the next free number.

        @return: the number, which no other discussion ever has.
        """
        with self._database.transaction():
            self._database.lockTable("discussion")
            number = Number(
                self._database.count(
                    "SELECT coalesce(max(number), ?1 - 1) + 1 FROM discussion"
                    " WHERE number BETWEEN ?1 AND ?2",
                    LOWEST_CREATED,
                    HIGHEST_CREATED,
                )
            )
            self._db.execute(
                "INSERT INTO discussion (number, name, owner) VALUES (?, ?, ?)",
                (number, name, owner),
            )
            self._insertMembers(number, members)
        return number

    def _insertMembers(self, discussion: Number, members: Iterable[Number]) -> None:
        turn = self._database.count(
            "SELECT coalesce(max(turn), 0) + 1 FROM discussion_member"
            " WHERE discussion = ?",
            discussion,
        )
        present = set(self.memberNumbers(discussion))
        new = [number for number in dict.fromkeys(members) if number not in present]
        markJoined(self._database, DISCUSSION, discussion, new)
        self._db.executemany(
            "INSERT INTO discussion_member (discussion, number, turn) VALUES (?, ?, ?)",
            ((discussion, member, turn + n) for n, member in enumerate(new)),
        )

    def rename(self, discussion: Number, name: str) -> None:
        """
        Rename a discussion and increase its version.
        """
        self._db.execute(
            "UPDATE discussion SET name = ?, version = version + 1 WHERE number = ?",
            (name, discussion),
        )

    def addMembers(self, discussion: Number, numbers: Iterable[Number]) -> None:
        """
        Add members to a discussion and increase its version.
        """
        members = list(numbers)
        with self._database.transaction():
            self._insertMembers(discussion, members)
            self._db.executemany(
                "DELETE FROM former"
                " WHERE place = ? AND number = ? AND is_discussion = 1",
                ((discussion, number) for number in members),
            )
            self._increaseVersion(discussion)

    def removeMember(self, discussion: Number, number: Number) -> None:
        """
        Remove a member and increase the version of the discussion. The longest
        member inherits a discussion whose owner leaves; a population file does
        not add the removed member again.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM discussion_member WHERE discussion = ? AND number = ?",
                (discussion, number),
            )
            self._db.execute(
                "INSERT INTO former VALUES (?, ?, 1) ON CONFLICT DO NOTHING",
                (discussion, number),
            )
            members = self.memberNumbers(discussion)
            if members:
                self._db.execute(
                    "UPDATE discussion SET owner = ? WHERE number = ? AND owner = ?",
                    (members[0], discussion, number),
                )
            self._increaseVersion(discussion)

    def _increaseVersion(self, discussion: Number) -> None:
        self._db.execute(
            "UPDATE discussion SET version = version + 1 WHERE number = ?",
            (discussion,),
        )

    def setMask(self, discussion: Number, number: Number, mask: int) -> None:
        """
        Set a member's message mask for a discussion.
        """
        self._db.execute(
            "UPDATE discussion_member SET mask = ? WHERE discussion = ? AND number = ?",
            (mask, discussion, number),
        )

    def shareDiscussion(self, number: Number, other: Number) -> bool:
        """
        Check whether two accounts are members of one discussion.
        """
        return self._database.exists(
            "SELECT 1 FROM discussion_member a JOIN discussion_member b"
            " ON b.discussion = a.discussion WHERE a.number = ? AND b.number = ?",
            number,
            other,
        )

    def merge(self, discussion: DiscussionEntry) -> None:
        """
        Add a discussion of a population file and the members that it does not
        have yet, inside the transaction of the caller.

        A removed member stays removed.
        """
        number = discussion.number
        self._db.execute(
            "INSERT INTO discussion (number, name, owner) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (number, discussion.name, discussion.owner),
        )
        rows = self._db.execute(
            "SELECT number FROM former WHERE place = ? AND is_discussion = 1", (number,)
        )
        removed = {member for (member,) in rows}
        self._insertMembers(number, [n for n in discussion.members if n not in removed])
