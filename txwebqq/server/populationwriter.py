"""
Populations, written down as population files.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from txwebqq.model import MAY_ASK, WHO_ANSWERS, Number
from txwebqq.server.population import PROFILE_NUMBERS, PROFILE_TEXTS
from txwebqq.server.records import Drawer, Population


def write(population: Population) -> str:
    """
    The text that describes a population: what
    L{txwebqq.server.population.parse} makes of it is the same again. Passwords
    are their MD5.
    """
    lines: list[str] = []
    for person in population.people:
        lines += ["[[account]]", f"number = {person.number}"]
        lines.append(f'password_md5 = "{person.firstHash.hex()}"')
        lines.append(f"nick = {_quoted(person.nick)}")
        if person.face:
            lines.append(f"face = {person.face}")
        lines += _profileLines(person.profile)
        lines += [*_drawerLines(population.drawers.get(person.number, ())), ""]
    for friendship in population.friendships:
        lines += ["[[friendship]]", f"between = {list(friendship.between)}"]
        if friendship.keptBy is not None:
            lines.append(f"kept_by = {friendship.keptBy}")
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
        if room.created:
            lines.append(f"created = {_time(room.created)}")
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
    for key in (*PROFILE_TEXTS, "gender"):
        value = profile.get(key)
        if isinstance(value, str):
            yield f"{key} = {_quoted(value)}"
    for key in PROFILE_NUMBERS:
        value = profile.get(key)
        if isinstance(value, int):
            yield f"{key} = {int(value)}"
    if profile.get("allow") == WHO_ANSWERS and "answer" not in profile:
        # Nobody may befriend them so, which an operator must not ask for by
        # mistake.
        yield 'answer = ""'
    birthday = profile.get("birthday")
    if birthday is not None:
        # People may say less than a date.
        isDate = all(birthday)
        told = datetime.date(*birthday).isoformat() if isDate else list(birthday)
        yield f"birthday = {told}"


def _drawerLines(drawers: Iterable[Drawer]) -> Iterator[str]:
    tables = [
        f"{{ index = {d.index}, name = {_quoted(d.name)}, sort = {d.sort} }}"
        for d in drawers
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
    # TOML's texts are JSON's, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
