"""
What the database knows of discussions, and of who is in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.records import (
    DiscussionEntry,
    DiscussionMembership,
    DiscussionRecord,
)
from txwebqq.server.storage.groups import FIRST_OF_OURS, LAST_OF_OURS
from txwebqq.server.storage.tables import TableGroup

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


class DiscussionStorage(Protocol):
    """
    What the rules of discussions keep.
    """

    def discussionMemberships(self, number: Number) -> list[DiscussionMembership]: ...

    def discussion(self, number: Number) -> DiscussionRecord | None: ...

    def isInDiscussion(self, discussion: Number, number: Number) -> bool: ...

    def discussionNumbers(self, discussion: Number) -> list[Number]: ...

    def discussionRecipients(self, discussion: Number) -> list[Number]: ...

    def discussionMembers(self, discussion: Number) -> list[tuple[Number, str]]: ...

    def discussionsOwned(self, number: Number) -> int: ...

    def createDiscussion(
        self, name: str, owner: Number, members: Iterable[Number]
    ) -> Number: ...

    def renameDiscussion(self, discussion: Number, name: str) -> None: ...

    def joinDiscussion(self, discussion: Number, numbers: Iterable[Number]) -> None: ...

    def leaveDiscussion(self, discussion: Number, number: Number) -> None: ...

    def setDiscussionMask(
        self, discussion: Number, number: Number, mask: int
    ) -> None: ...


class DiscussionStore(TableGroup):
    """
    The part of the store that answers for discussions.
    """

    def discussionMemberships(self, number: Number) -> list[DiscussionMembership]:
        """
        The discussions that an account is in.
        """
        rows = self._db.execute(
            "SELECT d.number, d.name, m.mask FROM discussion_member m"
            " JOIN discussion d ON d.number = m.discussion WHERE m.number = ?",
            (number,),
        )
        return [DiscussionMembership(*row) for row in rows]

    def discussion(self, number: Number) -> DiscussionRecord | None:
        """
        A discussion.
        """
        row = self._db.execute(
            "SELECT number, name, owner, version FROM discussion WHERE number = ?",
            (number,),
        ).fetchone()
        return None if row is None else DiscussionRecord(*row)

    def isInDiscussion(self, discussion: Number, number: Number) -> bool:
        """
        Whether an account is in a discussion.
        """
        row = self._first(
            "SELECT 1 FROM discussion_member WHERE discussion = ? AND number = ?",
            discussion,
            number,
        )
        return row is not None

    def discussionNumbers(self, discussion: Number) -> list[Number]:
        """
        The numbers of a discussion's members, the first comers first.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ?"
            " ORDER BY turn, number",
            (discussion,),
        )
        return [number for (number,) in rows]

    def discussionRecipients(self, discussion: Number) -> list[Number]:
        """
        The numbers of the members who want to receive its messages.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ? AND mask <> 2",
            (discussion,),
        )
        return [number for (number,) in rows]

    def discussionMembers(self, discussion: Number) -> list[tuple[Number, str]]:
        """
        The numbers and nicks of a discussion's members.
        """
        return self._db.execute(
            "SELECT m.number, a.nick FROM discussion_member m"
            " JOIN account a ON a.number = m.number WHERE m.discussion = ?"
            " ORDER BY m.turn, m.number",
            (discussion,),
        ).fetchall()

    def discussionsOwned(self, number: Number) -> int:
        """
        How many discussions are an account's own.
        """
        return self._count(
            "SELECT count(*) FROM discussion_member m JOIN discussion d"
            " ON d.number = m.discussion WHERE m.number = ?1 AND d.owner = ?1",
            number,
        )

    def createDiscussion(
        self, name: str, owner: Number, members: Iterable[Number]
    ) -> Number:
        """
        Add a discussion.

        @return: its number, which no other ever has.
        """
        with self._database.transaction():
            number = Number(
                self._count(
                    "SELECT ifnull(max(number), ?1 - 1) + 1 FROM discussion"
                    " WHERE number BETWEEN ?1 AND ?2",
                    FIRST_OF_OURS,
                    LAST_OF_OURS,
                )
            )
            self._db.execute(
                "INSERT INTO discussion (number, name, owner) VALUES (?, ?, ?)",
                (number, name, owner),
            )
            self._addDiscussionMembers(number, members)
        return number

    def _addDiscussionMembers(
        self, discussion: Number, members: Iterable[Number]
    ) -> None:
        turn = self._count(
            "SELECT ifnull(max(turn), 0) + 1 FROM discussion_member"
            " WHERE discussion = ?",
            discussion,
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO discussion_member (discussion, number, turn)"
            " VALUES (?, ?, ?)",
            ((discussion, member, turn + n) for n, member in enumerate(members)),
        )

    def renameDiscussion(self, discussion: Number, name: str) -> None:
        """
        Keep another name, which makes another version.
        """
        self._db.execute(
            "UPDATE discussion SET name = ?, version = version + 1 WHERE number = ?",
            (name, discussion),
        )

    def joinDiscussion(self, discussion: Number, numbers: Iterable[Number]) -> None:
        """
        Take people in, which makes another version.
        """
        people = list(numbers)
        with self._database.transaction():
            self._addDiscussionMembers(discussion, people)
            self._db.executemany(
                "DELETE FROM former WHERE place = ? AND number = ? AND is_discussion",
                ((discussion, number) for number in people),
            )
            self._bump(discussion)

    def leaveDiscussion(self, discussion: Number, number: Number) -> None:
        """
        Let somebody go, which makes another version; a discussion that was
        theirs is whoever's came next.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM discussion_member WHERE discussion = ? AND number = ?",
                (discussion, number),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO former VALUES (?, ?, 1)", (discussion, number)
            )
            heirs = self.discussionNumbers(discussion)
            if heirs:
                self._db.execute(
                    "UPDATE discussion SET owner = ? WHERE number = ? AND owner = ?",
                    (heirs[0], discussion, number),
                )
            self._bump(discussion)

    def _bump(self, discussion: Number) -> None:
        self._db.execute(
            "UPDATE discussion SET version = version + 1 WHERE number = ?",
            (discussion,),
        )

    def setDiscussionMask(self, discussion: Number, number: Number, mask: int) -> None:
        """
        Keep what a member does with a discussion's messages.
        """
        self._db.execute(
            "UPDATE discussion_member SET mask = ? WHERE discussion = ? AND number = ?",
            (mask, discussion, number),
        )

    # ---- merging

    def _mergeDiscussion(self, discussion: DiscussionEntry) -> None:
        number = discussion.number
        self._db.execute(
            "INSERT OR IGNORE INTO discussion (number, name, owner) VALUES (?, ?, ?)",
            (number, discussion.name, discussion.owner),
        )
        gone = self._former(number, isDiscussion=True)
        self._addDiscussionMembers(
            number, [n for n in discussion.members if n not in gone]
        )
