"""
Population files: TOML that describes the people of a server.
"""

from __future__ import annotations

import datetime
import json
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
from txwebqq.server.aliases import HIGHEST_NUMBER, LOWEST_NUMBER
from txwebqq.server.records import (
    Discussion,
    Friendship,
    Person,
    Population,
    Room,
    RoomWithMembers,
)
from txwebqq.wire.digests import passwordHash

V = TypeVar("V")

_PROFILE_TEXTS = (
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
_PROFILE_NUMBERS = ("blood", "shengxiao", "constel", "allow", "vipLevel")
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
    population = Population(
        people=tuple(_each(file, "account", _person)),
        friendships=tuple(_each(file, "friendship", _friendship)),
        rooms=tuple(_each(file, "group", _room)),
        discussions=tuple(_each(file, "discussion", _discussion)),
    )
    file.close()
    _refuseTwice("account", (person.number for person in population.people))
    _refuseTwice("group", (entry.room.number for entry in population.rooms))
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


def _person(entry: Entry) -> Person:
    number = entry.number("number")
    firstHash = _firstHash(entry)
    profile: dict[str, Any] = {}
    for key in _PROFILE_TEXTS:
        if entry.has(key):
            profile[key] = entry.text(key)
    for key in _PROFILE_NUMBERS:
        if entry.has(key):
            profile[key] = entry.integer(key)
    if entry.has("gender"):
        profile["gender"] = entry.text("gender")
        if profile["gender"] not in _GENDERS:
            raise entry.error(f"gender is none of {', '.join(_GENDERS)}")
    if entry.has("birthday"):
        day = entry.take("birthday")
        if not isinstance(day, datetime.date):
            raise entry.error("birthday is not a date such as 1990-10-01")
        profile["birthday"] = [day.year, day.month, day.day]
    allow = profile.get("allow", WHO_ASKS)
    if not ANYBODY <= allow <= WHO_ANSWERS_AND_ASKS:
        raise entry.error(f"allow is not from {ANYBODY} to {WHO_ANSWERS_AND_ASKS}")
    if allow == WHO_ANSWERS and not profile.get("answer"):
        raise entry.error("with allow = 3 there must be an answer")
    return Person(
        number=number,
        firstHash=firstHash,
        nick=entry.text("nick", str(number)),
        face=entry.integer("face", 0),
        profile=profile,
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


def _friendship(entry: Entry) -> Friendship:
    between = entry.numbers("between")
    if len(between) != 2:
        raise entry.error("between does not name two people")
    return Friendship(
        between=(between[0], between[1]),
        categories=_perDirection(entry, "category", between),
        marknames=_perDirection(entry, "markname", between),
    )


def _perDirection(entry: Entry, key: str, between: list[Number]) -> dict[Number, str]:
    """
    What either of two friends has for the other: one text for both, two texts
    in the order of C{between}, or a table by the number of who keeps it.
    """
    if not entry.has(key):
        return {}
    value = entry.take(key)
    if isinstance(value, str):
        value = [value, value]
    match value:
        case [str(one), str(other)]:
            return {between[0]: one, between[1]: other}
        case dict():
            table = Entry(entry.name, {key: value})
            return table.textsByNumber(key, between)
    raise entry.error(
        f"{key} is neither a text, nor two texts, nor a table of texts by number"
    )


def _room(entry: Entry) -> RoomWithMembers:
    number = entry.number("number")
    owner = entry.number("owner")
    members = _withOwner(owner, entry.numbers("members", []))
    admins = frozenset(entry.numbers("admins", []))
    if not admins <= set(members):
        raise entry.error("admins names somebody who is no member")
    option = entry.integer("option", MAY_ASK)
    if option not in (MAY_JOIN, MAY_ASK, MAY_NOT_JOIN):
        raise entry.error(f"option is none of {MAY_JOIN}, {MAY_ASK}, {MAY_NOT_JOIN}")
    room = Room(
        number=number,
        name=entry.text("name"),
        owner=owner,
        memo=entry.text("memo", ""),
        description=entry.text("description", ""),
        option=option,
    )
    return RoomWithMembers(
        room=room,
        members=members,
        admins=admins,
        cards=entry.textsByNumber("cards", members),
    )


def _discussion(entry: Entry) -> Discussion:
    number = entry.number("number")
    owner = entry.number("owner")
    return Discussion(
        number=number,
        name=entry.text("name", ""),
        owner=owner,
        members=_withOwner(owner, entry.numbers("members", [])),
    )


def _withOwner(owner: Number, members: list[Number]) -> tuple[Number, ...]:
    return tuple(members) if owner in members else (owner, *members)


def write(population: Population) -> str:
    """
    The text that describes a population: what L{parse} makes of it is the
    same again. Passwords are their MD5.
    """
    lines: list[str] = []
    for person in population.people:
        lines += ["[[account]]", f"number = {person.number}"]
        lines.append(f'password_md5 = "{person.firstHash.hex()}"')
        lines.append(f"nick = {_quoted(person.nick)}")
        if person.face:
            lines.append(f"face = {person.face}")
        lines += [*_profileLines(person.profile), ""]
    for friendship in population.friendships:
        lines += ["[[friendship]]", f"between = {list(friendship.between)}"]
        lines += _tableLine("category", friendship.categories)
        lines += [*_tableLine("markname", friendship.marknames), ""]
    for entry in population.rooms:
        room = entry.room
        lines += ["[[group]]", f"number = {room.number}"]
        lines += [f"name = {_quoted(room.name)}", f"owner = {room.owner}"]
        lines.append(f"members = {list(entry.members)}")
        if entry.admins:
            lines.append(f"admins = {sorted(entry.admins)}")
        lines += _tableLine("cards", entry.cards)
        for key, text in (("memo", room.memo), ("description", room.description)):
            if text:
                lines.append(f"{key} = {_quoted(text)}")
        if room.option != MAY_ASK:
            lines.append(f"option = {room.option}")
        lines.append("")
    for discussion in population.discussions:
        lines += ["[[discussion]]", f"number = {discussion.number}"]
        if discussion.name:
            lines.append(f"name = {_quoted(discussion.name)}")
        lines.append(f"owner = {discussion.owner}")
        lines += [f"members = {list(discussion.members)}", ""]
    return "\n".join(lines)


def _profileLines(profile: Mapping[str, Any]) -> Iterator[str]:
    for key in (*_PROFILE_TEXTS, "gender"):
        value = profile.get(key)
        if isinstance(value, str):
            yield f"{key} = {_quoted(value)}"
    for key in _PROFILE_NUMBERS:
        value = profile.get(key)
        if isinstance(value, int):
            yield f"{key} = {int(value)}"
    try:
        yield f"birthday = {datetime.date(*profile['birthday']).isoformat()}"
    except (KeyError, TypeError, ValueError):
        # People who change their profile may say less than a date.
        return


def _tableLine(key: str, texts: Mapping[Number, str]) -> Iterator[str]:
    if texts:
        pairs = ", ".join(f"{n} = {_quoted(text)}" for n, text in texts.items())
        yield f"{key} = {{ {pairs} }}"


def _quoted(text: str) -> str:
    # TOML's texts are JSON's, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
