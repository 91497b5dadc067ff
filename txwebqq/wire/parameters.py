"""
Questions about one group, which is named by its code (protocol.md 2.5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

from txwebqq.model import Code
from txwebqq.wire.command import (
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    apiForm,
    apiQuery,
)
from txwebqq.wire.form import Fields, Pairs, Ticket

R = TypeVar("R")


def codeOf(fields: Fields) -> Code:
    """
    The group that a question is about.
    """
    return Code(fields.integer("gcode"))


@dataclass(frozen=True, slots=True)
class CodeQuery(JSONCommand[R]):
    """
    A C{GET} of what there is to know of a group.
    """

    host: ClassVar[Host] = Host.API
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    code: Code
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("gcode", str(self.code)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, codeOf(fields), fields.milliseconds)


@dataclass(frozen=True, slots=True)
class CodeForm(OKCommand):
    """
    A C{POST} that does something to a group.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    code: Code

    def encodeMembers(self) -> Mapping[str, Any]:
        """
        The members of C{r} between the code and the verifier; a value of
        L{None} is not sent.
        """
        return {}

    def encodeFields(self) -> Pairs:
        members = self.encodeMembers().items()
        said = {name: value for name, value in members if value is not None}
        return apiForm({"gcode": self.code, **said}, self.ticket)

    @classmethod
    def decodeFields(cls, fields: Fields) -> Self:
        return cls(fields.ticket, codeOf(fields))


def textIfSaid(fields: Fields, name: str) -> str | None:
    """
    A text that may not be there.
    """
    return None if fields.raw(name) is None else fields.text(name)


def numberIfSaid(fields: Fields, name: str) -> int | None:
    """
    A number that may not be there.
    """
    return None if fields.raw(name) in (None, "") else fields.integer(name)
