"""
Population files: TOML that describes the accounts, friendships, groups and
discussions of a server.
"""

from __future__ import annotations

import datetime
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from txwebqq.config.toml import ConfigTable, isInteger, parseTOML, readTOML
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
"""The highest index of a category, and the highest C{sort}, which orders the
categories."""

_GENDERS = ("male", "female", "unknown")


def parse(text: str) -> Population:
    """
    Read a population from the text of a file.

    @raise InvalidConfiguration: with the table, and what is wrong there.
    """
    return _read(parseTOML(text))


def load(path: str | Path) -> Population:
    """
    Read a population from a file.

    @raise InvalidConfiguration: with the file, the table, and what is wrong.
    """
    try:
        return _read(readTOML(Path(path)))
    except InvalidConfiguration as e:
        raise InvalidConfiguration(f"{path}: {e}") from e


def exposure(path: str | Path) -> str:
    """
    Return a warning when others can read the passwords in a file, else C{""}.
    """
    path = Path(path)
    if not path.stat().st_mode & 0o077 or "password" not in path.read_text("utf-8"):
        return ""
    return (
        f"{path}: others can read the passwords in this file: "
        f"chmod 600 {shlex.quote(str(path))}"
    )


def withChanges(account: AccountRecord, texts: Mapping[str, str]) -> AccountRecord:
    """
    Return an account with another nick or profile.

    @param texts: by the keys of a population file; C{""} removes a value.

    @raise InvalidConfiguration: when a key or a value is not valid.
    """
    values: dict[str, Any] = {"number": account.number, "nick": account.nick}
    values |= {"face": account.face, **account.profile}
    for key, text in texts.items():
        if key not in _CHANGEABLE:
            keys = ", ".join(sorted(_CHANGEABLE))
            raise InvalidConfiguration(f"{key!r} is none of {keys}")
        values[key] = _valueOf(key, text)
    values = {key: value for key, value in values.items() if value != ""}
    table = ConfigTable(f"account {account.number}", values)
    changed = _accountRecord(table, account.firstHash)
    table.close()
    return changed


_CHANGEABLE = {"nick", "face", "gender", "birthday", *PROFILE_TEXTS, *PROFILE_NUMBERS}


def _valueOf(key: str, text: str) -> Any:
    try:
        if text and (key == "face" or key in PROFILE_NUMBERS):
            return int(text)
        if text and key == "birthday":
            return datetime.date.fromisoformat(text)
    except ValueError as e:
        raise InvalidConfiguration(f"{key} is not valid: {text!r}") from e
    return text


def _read(values: dict[str, Any]) -> Population:
    file = ConfigTable("", values)
    accounts = list(_each(file, "account", _account))
    population = Population(
        accounts=tuple(account for account, _ in accounts),
        friendships=tuple(_each(file, "friendship", _friendship)),
        groups=tuple(_each(file, "group", _group)),
        discussions=tuple(_each(file, "discussion", _discussion)),
        categories={
            account.number: categories for account, categories in accounts if categories
        },
    )
    file.close()
    _refuseTwice("account", (account.number for account in population.accounts))
    _refuseTwice("group", (entry.group.number for entry in population.groups))
    _refuseTwice("discussion", (entry.number for entry in population.discussions))
    _refuseTwice(
        "friendship between",
        (" and ".join(map(str, sorted(f.between))) for f in population.friendships),
    )
    return population


def _each(
    file: ConfigTable, kind: str, read: Callable[[ConfigTable], V]
) -> Iterator[V]:
    for table in file.tables(kind, "number"):
        value = read(table)
        table.close()
        yield value


def _refuseTwice(kind: str, names: Iterable[object]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise InvalidConfiguration(f"{kind} {name} is defined twice")
        seen.add(name)


def _account(table: ConfigTable) -> tuple[AccountRecord, tuple[CategoryRecord, ...]]:
    return _accountRecord(table), _categories(table)


def _categories(table: ConfigTable) -> tuple[CategoryRecord, ...]:
    categories = []
    for position, one in enumerate(table.tables("categories"), 1):
        index = one.number("index", 1, MAX_CATEGORY, position)
        sort = one.number("sort", 0, MAX_CATEGORY, index)
        categories.append(CategoryRecord(index, one.string("name"), sort))
        one.close()
    if len({category.index for category in categories}) < len(categories):
        raise table.error("categories", "has an index twice")
    return tuple(categories)


def _accountRecord(table: ConfigTable, firstHash: bytes = b"") -> AccountRecord:
    number = _number(table, "number")
    firstHash = firstHash or _firstHash(table)
    profile: dict[str, Any] = {}
    for key in PROFILE_TEXTS:
        if table.has(key):
            profile[key] = _text(table, key)
    for key in PROFILE_NUMBERS:
        if table.has(key):
            profile[key] = table.integer(key)
    if table.has("gender"):
        profile["gender"] = table.choice("gender", _GENDERS, "unknown")
    if table.has("birthday"):
        profile["birthday"] = _birthday(table)
    allow = profile.get("allow", WHO_ASKS)
    if not ANYBODY <= allow <= WHO_ANSWERS_AND_ASKS:
        raise table.error("allow", f"is not from {ANYBODY} to {WHO_ANSWERS_AND_ASKS}")
    if allow == WHO_ANSWERS and "answer" not in profile:
        raise table.error("answer", "is missing, which allow = 3 needs")
    return AccountRecord(
        number=number,
        firstHash=firstHash,
        nick=_text(table, "nick", str(number)),
        face=table.integer("face", 0),
        profile=profile,
    )


def _birthday(table: ConfigTable) -> list[int]:
    value = table.value("birthday")
    match value:
        case datetime.date():
            return [value.year, value.month, value.day]
        case [int(year), int(month), int(day)]:
            try:
                # A part that an account does not tell is 0; 2000 has all days.
                datetime.date(year or 2000, month or 1, day or 1)
            except (ValueError, OverflowError):
                pass
            else:
                return [year, month, day]
    raise table.error(
        "birthday",
        "is not a date such as 1990-10-01, nor year, month and day such as [0, 10, 1]",
    )


def _firstHash(table: ConfigTable) -> bytes:
    if not table.has("password_md5"):
        return passwordHash(table.string("password"))
    if table.has("password"):
        raise table.error("password", "and password_md5 are both given")
    digits = table.string("password_md5")
    if not re.fullmatch("[0-9a-fA-F]{32}", digits):
        raise table.error("password_md5", "is not 32 hexadecimal digits")
    return bytes.fromhex(digits)


def _friendship(table: ConfigTable) -> FriendshipEntry:
    between = _numbers(table, "between")
    if len(between) != 2:
        raise table.error("between", "does not name two accounts")
    onlyListOwner = _number(table, "kept_by") if table.has("kept_by") else None
    if onlyListOwner is not None and onlyListOwner not in between:
        raise table.error("kept_by", "is neither of the two")
    listOwners = between if onlyListOwner is None else [onlyListOwner]
    return FriendshipEntry(
        between=(between[0], between[1]),
        categories=_categoryOfFriend(table, listOwners),
        marknames=_perDirection(table, "markname", listOwners),
        onlyListOwner=onlyListOwner,
    )


def _categoryOfFriend(
    table: ConfigTable, listOwners: list[Number]
) -> dict[Number, str | int]:
    """
    Read the category of each friend in the other's friend list: as
    L{_perDirection}, but a table may also hold indices of categories.
    """
    if not table.has("category"):
        return {}
    value = table.value("category")
    indices: dict[Number, str | int] = {}
    if isinstance(value, dict):
        for name in [n for n, index in value.items() if type(index) is int]:
            index = value.pop(name)
            if name not in map(str, listOwners):
                raise table.error("category", f"has {name!r}, which is not one of them")
            indices[Number(int(name))] = index
    rest = ConfigTable(table.name, {"category": value})
    return indices | _perDirection(rest, "category", listOwners)


def _perDirection(
    table: ConfigTable, key: str, listOwners: list[Number]
) -> dict[Number, str]:
    """
    Read a text of a friendship, which may differ for the two friend lists: one
    text for both, two texts in the order of C{between}, or a table by the
    number of the list's owner.
    """
    if not table.has(key):
        return {}
    value = table.value(key)
    match value:
        case str():
            return dict.fromkeys(listOwners, value)
        case [str(one), str(other)] if len(listOwners) == 2:
            return {listOwners[0]: one, listOwners[1]: other}
        case dict():
            return _textsByNumber(table, key, value, listOwners)
    two = "nor two texts, " if len(listOwners) == 2 else ""
    raise table.error(key, f"is neither a text, {two}nor a table of texts by number")


def _group(table: ConfigTable) -> GroupEntry:
    number = _number(table, "number")
    owner = _number(table, "owner")
    members = _withOwner(owner, _numbers(table, "members", []))
    admins = frozenset(_numbers(table, "admins", []))
    if not admins <= set(members):
        raise table.error("admins", "names an account that is not a member")
    option = table.integer("option", MAY_ASK)
    if option not in (MAY_JOIN, MAY_ASK, MAY_NOT_JOIN):
        problem = f"is none of {MAY_JOIN}, {MAY_ASK}, {MAY_NOT_JOIN}"
        raise table.error("option", problem)
    group = GroupRecord(
        number=number,
        name=_text(table, "name"),
        owner=owner,
        memo=_text(table, "memo", ""),
        description=_text(table, "description", ""),
        created=_created(table),
        option=option,
    )
    return GroupEntry(
        group=group,
        members=members,
        admins=admins,
        cards=_textsByNumber(table, "cards", table.value("cards", {}), members),
    )


def _created(table: ConfigTable) -> int:
    if not table.has("created"):
        return 0
    time = table.value("created")
    if not isinstance(time, datetime.datetime) or time.tzinfo is None:
        raise table.error("created", "is not a time such as 2013-04-15T05:34:59Z")
    return int(time.timestamp())


def _discussion(table: ConfigTable) -> DiscussionEntry:
    number = _number(table, "number")
    owner = _number(table, "owner")
    return DiscussionEntry(
        number=number,
        name=_text(table, "name", ""),
        owner=owner,
        members=_withOwner(owner, _numbers(table, "members", [])),
    )


def _withOwner(owner: Number, members: list[Number]) -> tuple[Number, ...]:
    return tuple(members) if owner in members else (owner, *members)


def _text(table: ConfigTable, key: str, default: str | None = None) -> str:
    return table.string(key, default, mayBeEmpty=True)


def _number(table: ConfigTable, key: str) -> Number:
    """
    Read the number of an account, a group or a discussion.
    """
    return Number(table.number(key, LOWEST_NUMBER, HIGHEST_NUMBER))


def _numbers(
    table: ConfigTable, key: str, default: list[Any] | None = None
) -> list[Number]:
    """
    Read a list of different account numbers. The key is required if there is no
    C{default}.
    """
    values = table.value(key, default)
    if not isinstance(values, list):
        raise table.error(key, "is not a list of numbers")
    for value in values:
        if not isInteger(value) or not LOWEST_NUMBER <= value <= HIGHEST_NUMBER:
            raise table.error(
                key,
                f"has {value!r}, which is not a number "
                f"from {LOWEST_NUMBER} to {HIGHEST_NUMBER}",
            )
    if len(set(values)) < len(values):
        raise table.error(key, "names an account twice")
    return [Number(value) for value in values]


def _textsByNumber(
    table: ConfigTable, key: str, value: object, accounts: Iterable[Number]
) -> dict[Number, str]:
    """
    Read a table of texts by account number.

    @param value: the value of the key, which has been read.
    @param accounts: the accounts that may have a text.
    """
    if not isinstance(value, dict):
        raise table.error(key, "is not a table of texts by number")
    texts = {}
    known = set(accounts)
    for name, text in value.items():
        if not (name.isascii() and name.isdigit()) or int(name) not in known:
            raise table.error(key, f"has {name!r}, which is not one of them")
        if not isinstance(text, str):
            raise table.error(key, f"has a value for {name} that is not a text")
        texts[Number(int(name))] = text
    return texts
