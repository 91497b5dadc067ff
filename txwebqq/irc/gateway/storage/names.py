"""
The IRC names that people and groups have been given, for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Container

from txwebqq.irc.targets import Kind, Place
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

    @ivar place: who.
    """

    def __init__(self, name: str, place: Place) -> None:
        super().__init__(f"{name} is the name of {place.number}")
        self.place = place


class Names:
    """
    The books of all users.

    @param fold: what two names have in common that IRC takes for one.
    """

    def __init__(self, database: Database, fold: Callable[[str], str]) -> None:
        self._database = database
        self._fold = fold
        self._books: dict[tuple[str, str], Book] = {}

    def book(self, user: str, style: str) -> Book:
        """
        What one IRC user calls others in one style.
        """
        if (user, style) not in self._books:
            book = Book(self._database, self._fold, user, style)
            self._books[user, style] = book
        return self._books[user, style]


class Book(Container[str]):
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
        self._names: dict[Place, str] = {}
        self._places: dict[str, Place] = {}
        rows = database.connection.execute(
            "SELECT kind, place, name FROM name WHERE user = ? AND style = ?",
            self._key,
        )
        for kind, number, name in rows:
            self._enter(Place(Kind(kind), number), name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._fold(name) in self._places

    def name(self, place: Place) -> str | None:
        """
        What it is called, L{None} if it has no name yet.
        """
        return self._names.get(place)

    def place(self, name: str) -> Place | None:
        """
        What is called so, L{None} if nothing is.
        """
        return self._places.get(self._fold(name))

    def all(self, kind: Kind) -> dict[int, str]:
        """
        All names of one kind, by number.
        """
        return {p.number: name for p, name in self._names.items() if p.kind is kind}

    def claim(self, place: Place, make: Callable[[Container[str]], str]) -> str:
        """
        What it is called, from now on if it had no name.

        @param make: given the taken names, makes one that is not.

        @raise NameTaken: when it makes one that is.
        """
        name = self._names.get(place)
        if name is None:
            name = make(self)
            self.rename(place, name)
        return name

    def rename(self, place: Place, name: str) -> None:
        """
        Call it so from now on; its former name is free.

        @raise NameTaken: when something else is called so.
        """
        folded = self._fold(name)
        holder = self._places.get(folded, place)
        if holder != place:
            raise NameTaken(name, holder)
        self._database.connection.execute(
            "INSERT OR REPLACE INTO name VALUES (?, ?, ?, ?, ?, ?)",
            (*self._key, int(place.kind), place.number, name, folded),
        )
        self._enter(place, name)

    def _enter(self, place: Place, name: str) -> None:
        former = self._names.get(place)
        if former is not None:
            del self._places[self._fold(former)]
        self._names[place] = name
        self._places[self._fold(name)] = place
