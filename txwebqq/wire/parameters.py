"""
Questions about one group, which is named by its code (protocol.md 2.5.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, TypeVar

from txwebqq.model import Code
from txwebqq.wire.command import (
    Authorization,
    Host,
    JSONCommand,
    OKCommand,
    Referer,
    apiForm,
    apiQuery,
)
from txwebqq.wire.form import Form, Pairs, Ticket

R = TypeVar("R")


def codeOf(form: Form) -> Code:
    """
    The group that a question is about.
    """
    return Code(form.integer("gcode"))


@dataclass(frozen=True, slots=True)
class GroupQuery(JSONCommand[R]):
    """
    A C{GET} of what there is to know of a group.
    """

    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    code: Code
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [("gcode", str(self.code)), *apiQuery(self.ticket, self.milliseconds)]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, codeOf(form), form.milliseconds)


@dataclass(frozen=True, slots=True)
class GroupPost(OKCommand):
    """
    A C{POST} that does something to a group.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
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
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, codeOf(form))


def textIfSaid(form: Form, name: str) -> str | None:
    """
    A text that may not be there.
    """
    return None if form.raw(name) is None else form.text(name)


def numberIfSaid(form: Form, name: str) -> int | None:
    """
    A number that may not be there.
    """
    return None if form.raw(name) in (None, "") else form.integer(name)
