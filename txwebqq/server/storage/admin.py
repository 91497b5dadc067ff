"""
What those who run a server change in its database, and want to know of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from txwebqq.model import Number
from txwebqq.server.records import (
    HIGHEST_NUMBER,
    LOWEST_NUMBER,
    AccountRecord,
    CategoryRecord,
    DiscussionEntry,
    FriendshipEntry,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.storage.tables import TableGroup
from txwebqq.sqlite import migrations
from txwebqq.wire.commands.avatars import OF_PERSON

ACCOUNT_COLUMNS = {
    "account": "number",
    "category": "owner",
    "friendship": "owner friend",
    "member": "number",
    "business_card": "number",
    "application": "number",
    "former": "number",
    "global_mask": "number",
    "discussion_member": "number",
    "waiting": "number",
    "shelf": "owner",
    "deposit": "owner",
    "picture_reader": "number",
    "handout": "sender recipient",
    "setting": "owner",
    "former_friendship": "owner friend",
    "asked": "number asker",
    "attendance": "number",
}
"""By table, the columns with the number of an account, where what stands is
theirs alone."""

SHARED_TABLES = frozenset(
    {
        "avatar",  # groups have some as well
        "blob",
        "discussion",
        "history",  # it is the others' as well
        "letter",
        "picture",  # whoever was sent it may look at it
        "room",
        "secret",
    }
)
"""All other tables."""


class RegistrationStorage(Protocol):
    """
    What the rules of signing up keep.
    """

    def register(self, nick: str, firstHash: bytes) -> Number | None: ...


class AdminStore(TableGroup):
    """
    The part of the store that answers to those who run the server.
    """

    # ---- accounts

    def accounts(self) -> list[AccountRecord]:
        """
        All accounts, by their numbers.
        """
        rows = self._db.execute(
            "SELECT number, first_hash, nick, face, profile FROM account"
            " ORDER BY number"
        )
        return [
            AccountRecord(number, firstHash, nick, face, json.loads(profile))
            for number, firstHash, nick, face, profile in rows
        ]

    def register(self, nick: str, firstHash: bytes) -> Number | None:
        """
        Add an account.

        @return: its number, the next after the highest, or L{None} when there
            are no more.
        """
        with self._database.transaction():
            (number,) = self._db.execute(
                "SELECT ifnull(max(number), ? - 1) + 1 FROM account", (LOWEST_NUMBER,)
            ).fetchone()
            if number > HIGHEST_NUMBER:
                return None
            self._db.execute(
                "INSERT INTO account (number, first_hash, nick) VALUES (?, ?, ?)",
                (number, firstHash, nick),
            )
        return Number(number)

    def setNick(self, number: Number, nick: str) -> None:
        """
        Keep another nick.
        """
        self._db.execute("UPDATE account SET nick = ? WHERE number = ?", (nick, number))

    def setPassword(self, number: Number, firstHash: bytes) -> None:
        """
        Keep the MD5 of another password.
        """
        self._db.execute(
            "UPDATE account SET first_hash = ? WHERE number = ?", (firstHash, number)
        )

    def updateAccounts(self, accounts: Sequence[AccountRecord]) -> None:
        """
        Keep these nicks and passwords, of those who are there; a nick that is
        only the number, as where none was given, changes nothing.
        """
        with self._database.transaction():
            for account in accounts:
                self.setPassword(account.number, account.firstHash)
                if account.nick != str(account.number):
                    self.setNick(account.number, account.nick)

    def groupsOf(self, owner: Number) -> list[Number]:
        """
        The groups that are an account's own.
        """
        rows = self._db.execute(
            "SELECT number FROM room WHERE owner = ? AND NOT dissolved ORDER BY number",
            (owner,),
        )
        return [number for (number,) in rows]

    def removeAccount(self, number: Number) -> None:
        """
        Forget an account, with all that is theirs alone; their own
        discussions are whoever's came next.
        """
        with self._database.transaction():
            for table, columns in ACCOUNT_COLUMNS.items():
                for column in columns.split():
                    self._db.execute(
                        f"DELETE FROM {table} WHERE {column} = ?", (number,)
                    )
            self._db.execute(
                "DELETE FROM avatar WHERE kind = ? AND number = ?",
                (OF_PERSON, number),
            )
            self._db.execute(
                "DELETE FROM letter WHERE NOT EXISTS"
                " (SELECT 1 FROM waiting WHERE letter = serial)"
            )
            self._db.execute(
                "UPDATE discussion SET version = version + 1, owner = ifnull("
                "(SELECT m.number FROM discussion_member m"
                " WHERE m.discussion = discussion.number"
                " ORDER BY m.turn, m.number LIMIT 1), 0) WHERE owner = ?",
                (number,),
            )

    # ---- friendships

    def unfriend(self, one: Number, other: Number) -> bool:
        """
        Have neither of two people for the other's friend; a population file
        does not change that.

        @return: whether that changed anything.
        """
        with self._database.transaction():
            done = self._db.execute(
                "DELETE FROM friendship WHERE (owner = ?1 AND friend = ?2)"
                " OR (owner = ?2 AND friend = ?1)",
                (one, other),
            )
            if done.rowcount > 0:
                self._db.executemany(
                    "INSERT OR IGNORE INTO former_friendship VALUES (?, ?)",
                    [(one, other), (other, one)],
                )
        return done.rowcount > 0

    # ---- everything

    def population(self) -> Population:
        """
        Everybody, and what joins them, as far as population files go.
        """
        with self._database.transaction():
            return Population(
                accounts=tuple(self.accounts()),
                friendships=tuple(self._friendships()),
                groups=tuple(self._groups()),
                discussions=tuple(self._discussions()),
                categories=self._categories(),
            )

    def _categories(self) -> dict[Number, tuple[CategoryRecord, ...]]:
        categories: dict[Number, tuple[CategoryRecord, ...]] = {}
        for owner, *drawer in self._db.execute(
            "SELECT owner, idx, name, sort FROM category ORDER BY owner, idx"
        ):
            categories[owner] = (*categories.get(owner, ()), CategoryRecord(*drawer))
        return categories

    def _friendships(self) -> list[FriendshipEntry]:
        found: dict[tuple[Number, Number], dict[Number, tuple[str | int, str]]] = {}
        for owner, friend, category, markname in self._db.execute(
            "SELECT f.owner, f.friend, CASE"
            # A name says more than an index, if it is the name of one only.
            "  WHEN c.name IS NULL THEN 0 WHEN 1 = (SELECT count(*)"
            "   FROM category d WHERE d.owner = c.owner AND d.name = c.name)"
            "  THEN c.name ELSE c.idx END, f.markname"
            " FROM friendship f"
            " LEFT JOIN category c ON c.owner = f.owner AND c.idx = f.category"
            " ORDER BY min(f.owner, f.friend), max(f.owner, f.friend), f.owner"
        ):
            between = min(owner, friend), max(owner, friend)
            found.setdefault(between, {})[owner] = category, markname
        return [
            FriendshipEntry(
                between=between,
                categories={owner: c for owner, (c, _) in kept.items() if c},
                marknames={owner: m for owner, (_, m) in kept.items() if m},
                keptBy=None if len(kept) == 2 else next(iter(kept)),
            )
            for between, kept in found.items()
        ]

    def _groups(self) -> list[GroupEntry]:
        seats: dict[Number, list[tuple[Number, str, int]]] = {}
        for room, number, card, flag in self._db.execute(
            "SELECT room, number, card, flag FROM member ORDER BY room, number"
        ):
            seats.setdefault(room, []).append((number, card, flag))
        rows = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            " FROM room WHERE NOT dissolved ORDER BY number"
        )
        return [
            GroupEntry(
                group=group,
                members=tuple(n for n, _, _ in seats.get(group.number, ())),
                admins=frozenset(n for n, _, f in seats.get(group.number, ()) if f & 1),
                cards=_texts({n: card for n, card, _ in seats.get(group.number, ())}),
            )
            for group in (GroupRecord(*row) for row in rows)
        ]

    def _discussions(self) -> list[DiscussionEntry]:
        members: dict[Number, list[Number]] = {}
        for discussion, number in self._db.execute(
            "SELECT discussion, number FROM discussion_member"
            " ORDER BY discussion, turn, number"
        ):
            members.setdefault(discussion, []).append(number)
        rows = self._db.execute(
            "SELECT number, name, owner FROM discussion ORDER BY number"
        )
        return [
            DiscussionEntry(number, name, owner, tuple(members[number]))
            for number, name, owner in rows
            if number in members
        ]

    def statistics(self) -> dict[str, int]:
        """
        How much there is of everything, by the words for it.
        """
        one = self._db.execute
        counts = {
            "accounts": "SELECT count(*) FROM account",
            "friendships": "SELECT count(*) FROM friendship WHERE owner < friend",
            "groups": "SELECT count(*) FROM room WHERE NOT dissolved",
            "seats in groups": "SELECT count(*) FROM member",
            "discussions": "SELECT count(DISTINCT discussion) FROM discussion_member",
            "letters that wait": "SELECT count(*) FROM letter",
            "people they wait for": "SELECT count(DISTINCT number) FROM waiting",
            "pictures and files": "SELECT count(*) FROM blob",
            "bytes of pictures and files": "SELECT ifnull(sum(size), 0) FROM blob",
            "bytes of the database": "SELECT page_count * page_size"
            " FROM pragma_page_count, pragma_page_size",
            "schema": "PRAGMA user_version",
        }
        return {word: one(query).fetchone()[0] for word, query in counts.items()}

    def backUp(self, path: Path) -> None:
        """
        Copy everything to a file that is not there yet.

        @raise OSError: when the file cannot be made.
        """
        migrations.backUp(self._db, path)


def _texts(texts: dict[Number, str]) -> dict[Number, str]:
    return {number: text for number, text in texts.items() if text}
