"""
Population files: TOML that describes the people of a server, and how it is
read.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from txwebqq.errors import InvalidConfiguration
from txwebqq.model import (
    ANYBODY,
    MAY_ASK,
    MAY_JOIN,
    MAY_NOT_JOIN,
    WHO_ANSWERS,
    WHO_ANSWERS_AND_ASKS,
    WHO_ASKS,
    Number,
)
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
from txwebqq.wire.digests import passwordHash

V = TypeVar("V")

PROFILE_TEXTS = (
    "country",
    "province",
    "city",
    "phone",
    "mobile",
    "email",
    "homepage",
    "occupation",
    "college",
    "personal",
    "signature",
    "question",
    "answer",
)
PROFILE_NUMBERS = ("blood", "shengxiao", "constel", "allow", "vipLevel")
MAX_CATEGORY = 0xFFFF
"""The highest index of a category, and the highest place among the others."""

_GENDERS = ("male", "female", "unknown")


class Entry:
    """
    One table of the file, read key by key.

    @ivar name: what to call it in an error.
    """

    def __init__(self, name: str, table: Mapping[str, Any]) -> None:
        self.name = name
        self._table = dict(table)

    def error(self, problem: str) -> InvalidConfiguration:
        """
        What is wrong here.
        """
        return InvalidConfiguration(f"{self.name}: {problem}")

    def has(self, key: str) -> bool:
        """
        Whether the key is there, and not read yet.
        """
        return key in self._table

    def take(self, key: str) -> Any:
        """
        The value of a key that must be there.
        """
        if key not in self._table:
            raise self.error(f"{key} is missing")
        return self._table.pop(key)

    def text(self, key: str, default: str | None = None) -> str:
        """
        The text of a key.
        """
        if default is not None and not self.has(key):
            return default
        value = self.take(key)
        if not isinstance(value, str):
            raise self.error(f"{key} is not a text")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """
        The number of a key.
        """
        if default is not None and not self.has(key):
            return default
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(f"{key} is not a number")
        return value

    def asNumber(self, value: Any, key: str) -> Number:
        """
        A value as the number of a person or a group.
        """
        isInteger = isinstance(value, int) and not isinstance(value, bool)
        if not isInteger or not LOWEST_NUMBER <= value <= HIGHEST_NUMBER:
            raise self.error(
                f"{key}: {value!r} is not a number "
                f"from {LOWEST_NUMBER} to {HIGHEST_NUMBER}"
            )
        return Number(value)

    def number(self, key: str) -> Number:
        """
        The number of a person or a group in a key.
        """
        return self.asNumber(self.take(key), key)

    def numbers(self, key: str, default: list[Any] | None = None) -> list[Number]:
        """
        The list of such numbers in a key.
        """
        values = self._table.pop(key, default) if default is not None else None
        if values is None:
            values = self.take(key)
        if not isinstance(values, list):
            raise self.error(f"{key} is not a list of numbers")
        numbers = [self.asNumber(value, key) for value in values]
        if len(set(numbers)) < len(numbers):
            raise self.error(f"{key} names somebody twice")
        return numbers

    def textsByNumber(self, key: str, among: Iterable[Number]) -> dict[Number, str]:
        """
        The table of texts in a key, by the numbers of some of these people.
        """
        table = self._table.pop(key, {})
        if not isinstance(table, dict):
            raise self.error(f"{key} is not a table of texts by number")
        texts = {}
        people = set(among)
        for name, text in table.items():
            if not (name.isascii() and name.isdigit()) or int(name) not in people:
                raise self.error(f"{key}: {name!r} is not one of them")
            if not isinstance(text, str):
                raise self.error(f"{key}: what {name} has is not a text")
            texts[Number(int(name))] = text
        return texts

    def close(self) -> None:
        """
        There must be no key left.
        """
        for key in self._table:
            raise self.error(f"{key!r} is not known here")


def parse(text: str) -> Population:
    """
    The population that a text describes.

    @raise InvalidConfiguration: with the entry, and what is wrong there.
    """
    try:
        file = Entry("population", tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as e:
        raise InvalidConfiguration(f"not TOML: {e}") from e
    accounts = list(_each(file, "account", _account))
    population = Population(
        accounts=tuple(account for account, _ in accounts),
        friendships=tuple(_each(file, "friendship", _friendship)),
        groups=tuple(_each(file, "group", _room)),
        discussions=tuple(_each(file, "discussion", _discussion)),
        categories={
            person.number: categories for person, categories in accounts if categories
        },
    )
    file.close()
    _refuseTwice("account", (person.number for person in population.accounts))
    _refuseTwice("group", (entry.group.number for entry in population.groups))
    _refuseTwice("discussion", (entry.number for entry in population.discussions))
    _refuseTwice(
        "friendship between",
        (" and ".join(map(str, sorted(f.between))) for f in population.friendships),
    )
    return population


def load(path: str | Path) -> Population:
    """
    The population that a file describes.

    @raise InvalidConfiguration: with the file, the entry, and what is wrong.
    """
    try:
        return parse(Path(path).read_text(encoding="utf-8"))
    except OSError as e:
        raise InvalidConfiguration(f"{path}: {e.strerror or e}") from e
    except UnicodeDecodeError as e:
        raise InvalidConfiguration(f"{path}: not UTF-8") from e
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{path}: {e}") from e


def _each(file: Entry, kind: str, read: Callable[[Entry], V]) -> Iterator[V]:
    tables = file.take(kind) if file.has(kind) else []
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise InvalidConfiguration(f"write [[{kind}]], not [{kind}]")
    for position, table in enumerate(tables, 1):
        name = f"{kind} {position}"
        if "number" in table:
            name += f" (number {table['number']})"
        entry = Entry(name, table)
        value = read(entry)
        entry.close()
        yield value


def _refuseTwice(kind: str, names: Iterable[object]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise InvalidConfiguration(f"{kind} {name} is there twice")
        seen.add(name)


def _account(entry: Entry) -> tuple[AccountRecord, tuple[CategoryRecord, ...]]:
    return _person(entry), _drawers(entry)


def _drawers(entry: Entry) -> tuple[CategoryRecord, ...]:
    tables = entry.take("categories") if entry.has("categories") else []
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise entry.error("categories is not a list of tables")
    categories = []
    for position, table in enumerate(tables, 1):
        one = Entry(f"{entry.name}: category {position}", table)
        index = one.integer("index", position)
        if not 1 <= index <= MAX_CATEGORY:
            raise one.error(f"index is not from 1 to {MAX_CATEGORY}")
        sort = one.integer("sort", index)
        if not 0 <= sort <= MAX_CATEGORY:
            raise one.error(f"sort is not from 0 to {MAX_CATEGORY}")
        name = one.text("name")
        if not name:
            raise one.error("name is empty")
        one.close()
        categories.append(CategoryRecord(index, name, sort))
    if len({category.index for category in categories}) < len(categories):
        raise entry.error("categories has an index twice")
    return tuple(categories)


def _person(entry: Entry) -> AccountRecord:
    number = entry.number("number")
    firstHash = _firstHash(entry)
    profile: dict[str, Any] = {}
    for key in PROFILE_TEXTS:
        if entry.has(key):
            profile[key] = entry.text(key)
    for key in PROFILE_NUMBERS:
        if entry.has(key):
            profile[key] = entry.integer(key)
    if entry.has("gender"):
        profile["gender"] = entry.text("gender")
        if profile["gender"] not in _GENDERS:
            raise entry.error(f"gender is none of {', '.join(_GENDERS)}")
    if entry.has("birthday"):
        profile["birthday"] = _birthday(entry)
    allow = profile.get("allow", WHO_ASKS)
    if not ANYBODY <= allow <= WHO_ANSWERS_AND_ASKS:
        raise entry.error(f"allow is not from {ANYBODY} to {WHO_ANSWERS_AND_ASKS}")
    if allow == WHO_ANSWERS and "answer" not in profile:
        raise entry.error("with allow = 3 there must be an answer")
    return AccountRecord(
        number=number,
        firstHash=firstHash,
        nick=entry.text("nick", str(number)),
        face=entry.integer("face", 0),
        profile=profile,
    )


def _birthday(entry: Entry) -> list[int]:
    value = entry.take("birthday")
    match value:
        case datetime.date():
            return [value.year, value.month, value.day]
        case [int(year), int(month), int(day)]:
            try:
                # What somebody keeps to themselves is 0; 2000 has all days.
                datetime.date(year or 2000, month or 1, day or 1)
            except (ValueError, OverflowError):
                pass
            else:
                return [year, month, day]
    raise entry.error(
        "birthday is not a date such as 1990-10-01, "
        "nor year, month and day such as [0, 10, 1]"
    )


def _firstHash(entry: Entry) -> bytes:
    if not entry.has("password_md5"):
        password = entry.text("password")
        if not password:
            raise entry.error("password is empty")
        return passwordHash(password)
    if entry.has("password"):
        raise entry.error("password and password_md5 are both there")
    digits = entry.text("password_md5")
    if not re.fullmatch("[0-9a-fA-F]{32}", digits):
        raise entry.error("password_md5 is not 32 hexadecimal digits")
    return bytes.fromhex(digits)


def _friendship(entry: Entry) -> FriendshipEntry:
    between = entry.numbers("between")
    if len(between) != 2:
        raise entry.error("between does not name two people")
    keptBy = entry.number("kept_by") if entry.has("kept_by") else None
    if keptBy is not None and keptBy not in between:
        raise entry.error("kept_by is neither of the two")
    listOwners = between if keptBy is None else [keptBy]
    return FriendshipEntry(
        between=(between[0], between[1]),
        categories=_categories(entry, listOwners),
        marknames=_perDirection(entry, "markname", listOwners),
        keptBy=keptBy,
    )


def _categories(entry: Entry, listOwners: list[Number]) -> dict[Number, str | int]:
    """
    Where either of two friends keeps the other: as L{_perDirection} has it,
    with indices in the place of names in a table.
    """
    if not entry.has("category"):
        return {}
    value = entry.take("category")
    indices: dict[Number, str | int] = {}
    if isinstance(value, dict):
        for name in [n for n, index in value.items() if type(index) is int]:
            index = value.pop(name)
            if name not in map(str, listOwners):
                raise entry.error(f"category: {name!r} is not one of them")
            indices[Number(int(name))] = index
    names = _perDirection(
        Entry(entry.name, {"category": value}), "category", listOwners
    )
    return indices | names


def _perDirection(
    entry: Entry, key: str, listOwners: list[Number]
) -> dict[Number, str]:
    """
    What either of two friends has for the other: one text for both, two texts
    in the order of C{between}, or a table by the number of who keeps it.
    """
    if not entry.has(key):
        return {}
    value = entry.take(key)
    match value:
        case str():
            return dict.fromkeys(listOwners, value)
        case [str(one), str(other)] if len(listOwners) == 2:
            return {listOwners[0]: one, listOwners[1]: other}
        case dict():
            table = Entry(entry.name, {key: value})
            return table.textsByNumber(key, listOwners)
    two = "nor two texts, " if len(listOwners) == 2 else ""
    raise entry.error(f"{key} is neither a text, {two}nor a table of texts by number")


def _room(entry: Entry) -> GroupEntry:
    number = entry.number("number")
    owner = entry.number("owner")
    members = _withOwner(owner, entry.numbers("members", []))
    admins = frozenset(entry.numbers("admins", []))
    if not admins <= set(members):
        raise entry.error("admins names somebody who is no member")
    option = entry.integer("option", MAY_ASK)
    if option not in (MAY_JOIN, MAY_ASK, MAY_NOT_JOIN):
        raise entry.error(f"option is none of {MAY_JOIN}, {MAY_ASK}, {MAY_NOT_JOIN}")
    group = GroupRecord(
        number=number,
        name=entry.text("name"),
        owner=owner,
        memo=entry.text("memo", ""),
        description=entry.text("description", ""),
        created=_created(entry),
        option=option,
    )
    return GroupEntry(
        group=group,
        members=members,
        admins=admins,
        cards=entry.textsByNumber("cards", members),
    )


def _created(entry: Entry) -> int:
    if not entry.has("created"):
        return 0
    time = entry.take("created")
    if not isinstance(time, datetime.datetime) or time.tzinfo is None:
        raise entry.error("created is not a time such as 2013-04-15T05:34:59Z")
    return int(time.timestamp())


def _discussion(entry: Entry) -> DiscussionEntry:
    number = entry.number("number")
    owner = entry.number("owner")
    return DiscussionEntry(
        number=number,
        name=entry.text("name", ""),
        owner=owner,
        members=_withOwner(owner, entry.numbers("members", [])),
    )


def _withOwner(owner: Number, members: list[Number]) -> tuple[Number, ...]:
    return tuple(members) if owner in members else (owner, *members)
