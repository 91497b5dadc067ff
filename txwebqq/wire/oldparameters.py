"""
Parameters of commands about one group, named by its code (protocol.md 2.5.3),
optional parameters, and lists of uins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar

from txwebqq.errors import MalformedReply
from txwebqq.model import Code, Uin
from txwebqq.wire.coerce import unsigned
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
from txwebqq.wire.jsontext import parseJSON

R = TypeVar("R")


def groupCode(form: Form) -> Code:
    """
    Return the code of the group that a request is about.
    """
    return Code(form.integer("gcode"))


MAX_UINS = 5000
"""Maximum number of accounts in one request."""


def uinsOf(form: Form, name: str) -> tuple[Uin, ...]:
    """
    Return the uins of a parameter that is a JSON list.

    @raise MalformedReply: it is no such list, or has more than L{MAX_UINS}.
    """
    value = form.raw(name)
    if isinstance(value, str):
        value = parseJSON(value)
    if not isinstance(value, list):
        raise MalformedReply(f"{name} is not a list of uins")
    if len(value) > MAX_UINS:
        raise MalformedReply(f"{name} has more than {MAX_UINS} uins")
    try:
        return tuple(unsigned(uin) for uin in value)
    except (TypeError, ValueError, OverflowError) as e:
        raise MalformedReply(f"{name} has an entry that is not a uin") from e


class GroupQuery(JSONCommand[R]):
    """
    Base of commands that fetch details of a group by C{GET}.
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
        return cls(form.ticket, groupCode(form), form.milliseconds)


class GroupPost(OKCommand):
    """
    Base of commands that change a group by C{POST}.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    code: Code

    def encodeMembers(self) -> Mapping[str, Any]:
        """
        Return the members of C{r} between the code and the verifier; those of value
        L{None} are not sent.
        """
        return {}

    def encodeFields(self) -> Pairs:
        members = self.encodeMembers().items()
        sent = {name: value for name, value in members if value is not None}
        return apiForm({"gcode": self.code, **sent}, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, groupCode(form))


def optionalText(form: Form, name: str) -> str | None:
    """
    Return a parameter as text, L{None} when it is missing.
    """
    return None if form.raw(name) is None else form.text(name)


def optionalNumber(form: Form, name: str) -> int | None:
    """
    Return a parameter as a number, L{None} when it is missing or empty.
    """
    return None if form.raw(name) in (None, "") else form.integer(name)
