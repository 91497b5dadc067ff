"""
Writer of population files.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from txwebqq.model import MAY_ASK, WHO_ANSWERS, Number
from txwebqq.server.population import PROFILE_NUMBERS, PROFILE_TEXTS
from txwebqq.server.records import CategoryRecord, Population


def writePopulation(population: Population) -> str:
    """
    Write a population as a population file.

    @return: TOML, from which L{txwebqq.server.population.parse} reads an equal
        population. Passwords are written as their MD5.
    """
    lines: list[str] = []
    for account in population.accounts:
        lines += ["[[account]]", f"number = {account.number}"]
        lines.append(f'password_md5 = "{account.firstHash.hex()}"')
        lines.append(f"nick = {_quoted(account.nick)}")
        if account.face:
            lines.append(f"face = {account.face}")
        lines += _profileLines(account.profile)
        lines += [*_categoryLines(population.categories.get(account.number, ())), ""]
    for friendship in population.friendships:
        lines += ["[[friendship]]", f"between = {list(friendship.between)}"]
        if friendship.onlyListOwner is not None:
            lines.append(f"kept_by = {friendship.onlyListOwner}")
        lines += _tableLine("category", friendship.categories)
        lines += [*_tableLine("markname", friendship.marknames), ""]
    for entry in population.groups:
        group = entry.group
        lines += ["[[group]]", f"number = {group.number}"]
        lines += [f"name = {_quoted(group.name)}", f"owner = {group.owner}"]
        lines.append(f"members = {list(entry.members)}")
        if entry.admins:
            lines.append(f"admins = {sorted(entry.admins)}")
        lines += _tableLine("cards", entry.cards)
        for key, text in (("memo", group.memo), ("description", group.description)):
            if text:
                lines.append(f"{key} = {_quoted(text)}")
        if group.created:
            lines.append(f"created = {_time(group.created)}")
        if group.option != MAY_ASK:
            lines.append(f"option = {group.option}")
        lines.append("")
    for discussion in population.discussions:
        lines += ["[[discussion]]", f"number = {discussion.number}"]
        if discussion.name:
            lines.append(f"name = {_quoted(discussion.name)}")
        lines.append(f"owner = {discussion.owner}")
        lines += [f"members = {list(discussion.members)}", ""]
    return "\n".join(lines)


def _profileLines(profile: Mapping[str, Any]) -> Iterator[str]:
    for key in (*PROFILE_TEXTS, "gender"):
        value = profile.get(key)
        if isinstance(value, str):
            yield f"{key} = {_quoted(value)}"
    for key in PROFILE_NUMBERS:
        value = profile.get(key)
        if isinstance(value, int):
            yield f"{key} = {int(value)}"
    if profile.get("allow") == WHO_ANSWERS and "answer" not in profile:
        # Without an answer nobody can become a friend of this account; a
        # population file must say so explicitly.
        yield 'answer = ""'
    birthday = profile.get("birthday")
    if birthday is not None:
        # Year, month or day may be 0, for not given.
        isDate = all(birthday)
        value = datetime.date(*birthday).isoformat() if isDate else list(birthday)
        yield f"birthday = {value}"


def _categoryLines(categories: Iterable[CategoryRecord]) -> Iterator[str]:
    tables = [
        f"{{ index = {d.index}, name = {_quoted(d.name)}, sort = {d.sort} }}"
        for d in categories
    ]
    if tables:
        yield f"categories = [{', '.join(tables)}]"


def _time(seconds: int) -> str:
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _tableLine(key: str, values: Mapping[Number, str | int]) -> Iterator[str]:
    if values:
        pairs = ", ".join(
            f"{n} = {value if isinstance(value, int) else _quoted(value)}"
            for n, value in values.items()
        )
        yield f"{key} = {{ {pairs} }}"


def _quoted(text: str) -> str:
    # TOML strings are JSON strings, but DEL has to be escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
