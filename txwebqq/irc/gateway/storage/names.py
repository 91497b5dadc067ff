"""
The IRC names that people and groups have been given, for ever.
"""

from __future__ import annotations

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
    Another one has the name.

    @ivar target: who.
    """

    def __init__(self, name: str, target: Target) -> None:
        super().__init__(f"{name} is the name of {target.number}")
        self.target = target


class NameStore:
    """
    The books of all users.

    @param fold: what two names have in common that IRC takes for one.
    """

    def __init__(self, database: Database, fold: Callable[[str], str]) -> None:
        self._database = database
        self._fold = fold
        self._tables: dict[tuple[str, str], NameTable] = {}

    def tableFor(self, user: str, style: str) -> NameTable:
        """
        What one IRC user calls others in one style.
        """
        if (user, style) not in self._tables:
            names = NameTable(self._database, self._fold, user, style)
            self._tables[user, style] = names
        return self._tables[user, style]


class NameTable(Container[str]):
    """
    Names in one style, none of them twice. It contains the names that are
    taken, however they are written.
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
        What it is called, L{None} if it has no name yet.
        """
        return self._names.get(target)

    def target(self, name: str) -> Target | None:
        """
        What is called so, L{None} if nothing is.
        """
        return self._targets.get(self._fold(name))

    def all(self, kind: TargetKind) -> dict[int, str]:
        """
        All names of one kind, by number.
        """
        return {p.number: name for p, name in self._names.items() if p.kind is kind}

    def claim(self, target: Target, make: Callable[[Container[str]], str]) -> str:
        """
        What it is called, from now on if it had no name.

        @param make: given the taken names, makes one that is not.

        @raise NameTaken: when it makes one that is.
        """
        name = self._names.get(target)
        if name is None:
            name = make(self)
            self.rename(target, name)
        return name

    def rename(self, target: Target, name: str) -> None:
        """
        Call it so from now on; its former name is free.

        @raise NameTaken: when something else is called so.
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
