"""
The IRC names of contacts and channels, which are given once and kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container

from txwebqq.irc.targets import Target, TargetKind
from txwebqq.sqlite.database import Database

NAMES_SCHEMA = """
CREATE TABLE name (
    user TEXT NOT NULL,
    style TEXT NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    folded TEXT NOT NULL,
    PRIMARY KEY (user, style, kind, place)
) WITHOUT ROWID;
CREATE UNIQUE INDEX name_by_folded ON name (user, style, folded);
"""


class NameTaken(Exception):
    """
    Another target has the name.

    @ivar target: the other target.
    """

    def __init__(self, name: str, target: Target) -> None:
        super().__init__(f"{name} is the name of {target.number}")
        self.target = target


class NameStore:
    """
    The name tables of all users.

    @param fold: maps names that are equal on IRC to the same text.
    """

    def __init__(self, database: Database, fold: Callable[[str], str]) -> None:
        self._database = database
        self._fold = fold
        self._tables: dict[tuple[str, str], NameTable] = {}

    def tableFor(self, user: str, style: str) -> NameTable:
        """
        Return the names that one user's contacts have in one style.
        """
        if (user, style) not in self._tables:
            names = NameTable(self._database, self._fold, user, style)
            self._tables[user, style] = names
        return self._tables[user, style]


class NameTable(Container[str]):
    """
    The names of one user's contacts and channels in one style, each name given
    once. The table contains the names that are taken, in any case.
    """

    def __init__(
        self, database: Database, fold: Callable[[str], str], user: str, style: str
    ) -> None:
        self._database = database
        self._fold = fold
        self._key = (user, style)
        self._names: dict[Target, str] = {}
        self._targets: dict[str, Target] = {}
        rows = database.connection.execute(
            "SELECT kind, place, name FROM name WHERE user = ? AND style = ?",
            self._key,
        )
        for kind, number, name in rows:
            self._enter(Target(TargetKind(kind), number), name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._fold(name) in self._targets

    def name(self, target: Target) -> str | None:
        """
        Return the name of a target, L{None} if it has no name yet.
        """
        return self._names.get(target)

    def all(self) -> list[tuple[Target, str]]:
        """
        Return all targets with their names.
        """
        return list(self._names.items())

    def target(self, name: str) -> Target | None:
        """
        Return the target that has a name, L{None} if there is none.
        """
        return self._targets.get(self._fold(name))

    def claim(self, target: Target, make: Callable[[Container[str]], str]) -> str:
        """
        Return the name of a target. A target without a name is given one; when
        the database cannot be written to, until the gateway stops.

        @param make: called with the names that are taken, makes one that is
            not.

        @raise NameTaken: if C{make} returns a name that is taken.
        """
        name = self._names.get(target)
        if name is None:
            name = make(self)
            try:
                self.rename(target, name)
            except sqlite3.Error:
                # Messages with this name must be shown nevertheless.
                self._enter(target, name)
        return name

    def rename(self, target: Target, name: str) -> None:
        """
        Give a target another name; its former name is free again.

        @raise NameTaken: if another target has the name.
        """
        folded = self._fold(name)
        holder = self._targets.get(folded, target)
        if holder != target:
            raise NameTaken(name, holder)
        self._database.connection.execute(
            "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?, ?, ?)",
            (*self._key, int(target.kind), target.number, name, folded),
        )
        self._enter(target, name)

    def _enter(self, target: Target, name: str) -> None:
        former = self._names.get(target)
        if former is not None:
            del self._targets[self._fold(former)]
        self._names[target] = name
        self._targets[self._fold(name)] = target
