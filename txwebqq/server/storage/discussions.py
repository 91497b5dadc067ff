"""
What the database knows of discussions, and of who is in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.records import Chat, ChatSeat, Discussion
from txwebqq.server.storage.groups import FIRST_OF_OURS, LAST_OF_OURS
from txwebqq.server.storage.tables import Tables

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


class DiscussionStore(Protocol):
    """
    What the rules of discussions keep.
    """

    def chatSeats(self, number: Number) -> list[ChatSeat]: ...

    def chat(self, number: Number) -> Chat | None: ...

    def isInChat(self, chat: Number, number: Number) -> bool: ...

    def chatNumbers(self, chat: Number) -> list[Number]: ...

    def chatAudience(self, chat: Number) -> list[Number]: ...

    def chatMembers(self, chat: Number) -> list[tuple[Number, str]]: ...

    def chatsOwned(self, number: Number) -> int: ...

    def createChat(
        self, name: str, owner: Number, members: Iterable[Number]
    ) -> Number: ...

    def renameChat(self, chat: Number, name: str) -> None: ...

    def joinChat(self, chat: Number, numbers: Iterable[Number]) -> None: ...

    def leaveChat(self, chat: Number, number: Number) -> None: ...

    def setChatMask(self, chat: Number, number: Number, mask: int) -> None: ...


class DiscussionTables(Tables):
    """
    The part of the store that answers for discussions.
    """

    def chatSeats(self, number: Number) -> list[ChatSeat]:
        """
        The discussions that an account is in.
        """
        rows = self._db.execute(
            "SELECT d.number, d.name, m.mask FROM discussion_member m"
            " JOIN discussion d ON d.number = m.discussion WHERE m.number = ?",
            (number,),
        )
        return [ChatSeat(*row) for row in rows]

    def chat(self, number: Number) -> Chat | None:
        """
        A discussion.
        """
        row = self._db.execute(
            "SELECT number, name, owner, version FROM discussion WHERE number = ?",
            (number,),
        ).fetchone()
        return None if row is None else Chat(*row)

    def isInChat(self, chat: Number, number: Number) -> bool:
        """
        Whether an account is in a discussion.
        """
        row = self._first(
            "SELECT 1 FROM discussion_member WHERE discussion = ? AND number = ?",
            chat,
            number,
        )
        return row is not None

    def chatNumbers(self, chat: Number) -> list[Number]:
        """
        The numbers of a discussion's members, the first comers first.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ?"
            " ORDER BY turn, number",
            (chat,),
        )
        return [number for (number,) in rows]

    def chatAudience(self, chat: Number) -> list[Number]:
        """
        The numbers of the members who want to receive its messages.
        """
        rows = self._db.execute(
            "SELECT number FROM discussion_member WHERE discussion = ? AND mask <> 2",
            (chat,),
        )
        return [number for (number,) in rows]

    def chatMembers(self, chat: Number) -> list[tuple[Number, str]]:
        """
        The numbers and nicks of a discussion's members.
        """
        return self._db.execute(
            "SELECT m.number, a.nick FROM discussion_member m"
            " JOIN account a ON a.number = m.number WHERE m.discussion = ?"
            " ORDER BY m.turn, m.number",
            (chat,),
        ).fetchall()

    def chatsOwned(self, number: Number) -> int:
        """
        How many discussions are an account's own.
        """
        return self._count(
            "SELECT count(*) FROM discussion_member m JOIN discussion d"
            " ON d.number = m.discussion WHERE m.number = ?1 AND d.owner = ?1",
            number,
        )

    def createChat(self, name: str, owner: Number, members: Iterable[Number]) -> Number:
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
            self._seatChat(number, members)
        return number

    def _seatChat(self, chat: Number, members: Iterable[Number]) -> None:
        turn = self._count(
            "SELECT ifnull(max(turn), 0) + 1 FROM discussion_member"
            " WHERE discussion = ?",
            chat,
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO discussion_member (discussion, number, turn)"
            " VALUES (?, ?, ?)",
            ((chat, member, turn + n) for n, member in enumerate(members)),
        )

    def renameChat(self, chat: Number, name: str) -> None:
        """
        Keep another name, which makes another version.
        """
        self._db.execute(
            "UPDATE discussion SET name = ?, version = version + 1 WHERE number = ?",
            (name, chat),
        )

    def joinChat(self, chat: Number, numbers: Iterable[Number]) -> None:
        """
        Take people in, which makes another version.
        """
        people = list(numbers)
        with self._database.transaction():
            self._seatChat(chat, people)
            self._db.executemany(
                "DELETE FROM former WHERE place = ? AND number = ? AND is_discussion",
                ((chat, number) for number in people),
            )
            self._bump(chat)

    def leaveChat(self, chat: Number, number: Number) -> None:
        """
        Let somebody go, which makes another version; a discussion that was
        theirs is whoever's came next.
        """
        with self._database.transaction():
            self._db.execute(
                "DELETE FROM discussion_member WHERE discussion = ? AND number = ?",
                (chat, number),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO former VALUES (?, ?, 1)", (chat, number)
            )
            heirs = self.chatNumbers(chat)
            if heirs:
                self._db.execute(
                    "UPDATE discussion SET owner = ? WHERE number = ? AND owner = ?",
                    (heirs[0], chat, number),
                )
            self._bump(chat)

    def _bump(self, chat: Number) -> None:
        self._db.execute(
            "UPDATE discussion SET version = version + 1 WHERE number = ?", (chat,)
        )

    def setChatMask(self, chat: Number, number: Number, mask: int) -> None:
        """
        Keep what a member does with a discussion's messages.
        """
        self._db.execute(
            "UPDATE discussion_member SET mask = ? WHERE discussion = ? AND number = ?",
            (mask, chat, number),
        )

    # ---- merging

    def _mergeDiscussion(self, discussion: Discussion) -> None:
        number = discussion.number
        self._db.execute(
            "INSERT OR IGNORE INTO discussion (number, name, owner) VALUES (?, ?, ?)",
            (number, discussion.name, discussion.owner),
        )
        gone = self._former(number, isDiscussion=True)
        self._seatChat(number, [n for n in discussion.members if n not in gone])
