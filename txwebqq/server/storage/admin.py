"""
Operations of administrators on the whole database: export, statistics, backup
and the removal of accounts.
"""

from __future__ import annotations

from txwebqq.databases.interface import Database
from txwebqq.model import Number
from txwebqq.server.records import (
    CategoryRecord,
    DiscussionEntry,
    FriendshipEntry,
    GroupEntry,
    GroupRecord,
    Population,
)
from txwebqq.server.storage.accounts import AccountStore
from txwebqq.wire.commands.pictures import OF_ACCOUNT

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
    "read_marker": "owner",
    "handout": "sender recipient",
    "setting": "owner",
    "former_friendship": "owner friend",
    "asked": "number asker",
    "attendance": "number",
    "disabled": "number",
    "signing_off": "number",
    "changed_password": "number",
    "online": "number",
    "poll_state": "number",
    "ended_session": "number",
    "pending_login": "number",
    "signal": "number",
    "mute": "number",
    "session": "number",
    "replaced_session": "number",
    "sent_id": "sender",
    "reaction": "number",
    "signon_address": "number",
}
"""For each table whose rows belong to one account alone, the columns with the
account's number, separated by spaces."""

SHARED_TABLES = frozenset(
    {
        "allowance",  # of addresses, too; they end soon
        "avatar",  # also of groups
        "blob",
        "captcha",
        "counter",
        "discussion",
        "group_file",  # the members may still download it
        "history",  # also of the other members of the conversation
        "letter",
        "operator_event",
        "picture",  # its recipients may still download it
        "room",
        "secret",
        "session_time",
        "worker_batch",
    }
)
"""The other tables, whose rows are not deleted with an account."""


class AdminStore:
    """
    The database as a whole, for administrators.
    """

    def __init__(self, database: Database, accounts: AccountStore) -> None:
        self._database = database
        self._db = database.connection
        self._accounts = accounts

    def removeAccount(self, number: Number) -> None:
        """
        Delete an account and all rows that belong to it alone. The longest
        member inherits a discussion that it owns.
        """
        with self._database.transaction():
            for table, columns in ACCOUNT_COLUMNS.items():
                for column in columns.split():
                    self._db.execute(
                        f"DELETE FROM {table} WHERE {column} = ?", (number,)
                    )
            self._db.execute(
                "DELETE FROM avatar WHERE kind = ? AND number = ?",
                (OF_ACCOUNT, number),
            )
            self._db.execute(
                "DELETE FROM letter WHERE NOT EXISTS"
                " (SELECT 1 FROM waiting WHERE letter = serial)"
            )
            self._db.execute(
                "UPDATE discussion SET version = version + 1, owner = coalesce("
                "(SELECT m.number FROM discussion_member m"
                " WHERE m.discussion = discussion.number"
                " ORDER BY m.turn, m.number LIMIT 1), 0) WHERE owner = ?",
                (number,),
            )

    def population(self) -> Population:
        """
        Return all accounts, friendships, groups and discussions, as far as a
        population file can hold them.
        """
        with self._database.snapshot():
            return Population(
                accounts=tuple(self._accounts.all()),
                friendships=tuple(self._friendships()),
                groups=tuple(self._groups()),
                discussions=tuple(self._discussions()),
                categories=self._categories(),
            )

    def _categories(self) -> dict[Number, tuple[CategoryRecord, ...]]:
        categories: dict[Number, tuple[CategoryRecord, ...]] = {}
        for owner, *category in self._db.execute(
            "SELECT owner, idx, name, sort FROM category ORDER BY owner, idx"
        ):
            categories[owner] = (*categories.get(owner, ()), CategoryRecord(*category))
        return categories

    def _friendships(self) -> list[FriendshipEntry]:
        found: dict[tuple[Number, Number], dict[Number, tuple[str | int, str]]] = {}
        for owner, friend, index, name, markname in self._db.execute(
            # The name, unless the owner has two categories of that name.
            "SELECT f.owner, f.friend, coalesce(c.idx, 0), CASE WHEN 1 = ("
            "  SELECT count(*) FROM category d"
            "  WHERE d.owner = c.owner AND d.name = c.name) THEN c.name END, f.markname"
            " FROM friendship f"
            " LEFT JOIN category c ON c.owner = f.owner AND c.idx = f.category"
            " ORDER BY CASE WHEN f.owner < f.friend THEN f.owner ELSE f.friend END,"
            " CASE WHEN f.owner < f.friend THEN f.friend ELSE f.owner END, f.owner"
        ):
            category = index if name is None else name
            between = min(owner, friend), max(owner, friend)
            found.setdefault(between, {})[owner] = category, markname
        return [
            FriendshipEntry(
                between=between,
                categories={owner: c for owner, (c, _) in lists.items() if c},
                marknames={owner: m for owner, (_, m) in lists.items() if m},
                onlyListOwner=None if len(lists) == 2 else next(iter(lists)),
            )
            for between, lists in found.items()
        ]

    def _groups(self) -> list[GroupEntry]:
        memberships: dict[Number, list[tuple[Number, str, int]]] = {}
        for group, number, card, flag in self._db.execute(
            "SELECT room, number, card, flag FROM member ORDER BY room, number"
        ):
            memberships.setdefault(group, []).append((number, card, flag))
        rows = self._db.execute(
            "SELECT number, name, owner, memo, description, created, option"
            " FROM room WHERE dissolved = 0 ORDER BY number"
        )
        return [
            GroupEntry(
                group=group,
                members=tuple(n for n, _, _ in memberships.get(group.number, ())),
                admins=frozenset(
                    n for n, _, f in memberships.get(group.number, ()) if f & 1
                ),
                cards=_nonEmpty(
                    {n: card for n, card, _ in memberships.get(group.number, ())}
                ),
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
        Return the number of rows of each kind, by their names for operators.
        """
        count = self._database.count
        counts = {
            "accounts": "SELECT count(*) FROM account",
            "friendships": "SELECT count(*) FROM friendship WHERE owner < friend",
            "groups": "SELECT count(*) FROM room WHERE dissolved = 0",
            "group memberships": "SELECT count(*) FROM member",
            "discussions": "SELECT count(DISTINCT discussion) FROM discussion_member",
            "queued events": "SELECT count(*) FROM letter",
            "accounts with queued events": "SELECT count(DISTINCT number) FROM waiting",
            "pictures and files": "SELECT count(*) FROM blob",
            "bytes of pictures and files": "SELECT coalesce(sum(size), 0) FROM blob",
        }
        return {
            **{word: count(query) for word, query in counts.items()},
            "bytes of the database": self._database.size,
            "schema": self._database.version,
        }


def _nonEmpty(texts: dict[Number, str]) -> dict[Number, str]:
    return {number: text for number, text in texts.items() if text}
