"""
Avatars: seeing one, and changing one's own (protocol.md 2.3.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from txwebqq.model import Code, Uin
from txwebqq.wire.command import Authorization, Host, OKCommand, Referer, apiQuery
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.jsontext import encodeJSON
from txwebqq.wire.multipart import BinaryCommand

OF_PERSON, OF_GROUP = 1, 4
"""The C{type} of L{GetFace}."""

_NO_GROUP = Code(0)


@dataclass(frozen=True, slots=True)
class GetFace(BinaryCommand):
    """
    Fetch an avatar (protocol.md 2.3.7).

    @ivar whose: a uin, or a group's code.
    """

    host: ClassVar[Host] = Host.AVATAR
    path: ClassVar[str] = "/cgi/svr/face/getface"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER_OR_COOKIE
    referer: ClassVar[Referer | None] = Referer.PAGE

    ticket: Ticket
    whose: Uin | Code
    kind: int = OF_PERSON
    milliseconds: int = 0

    def encodeFields(self) -> Pairs:
        return [
            ("cache", "0"),
            ("type", str(self.kind)),
            ("fid", "0"),
            ("uin", str(self.whose)),
            *apiQuery(self.ticket, self.milliseconds),
        ]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            Uin(form.integer("uin")),
            form.integer("type", OF_PERSON),
            form.milliseconds,
        )


@dataclass(frozen=True, slots=True)
class ModifyMyHead(OKCommand):
    """
    Change an avatar (protocol.md 2.3.8 knows its name only).

    @ivar name: the custom face to show; C{""} for the usual picture.
    @ivar group: the group whose avatar it is, 0 for one's own.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/modify_my_head"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER_OR_COOKIE
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str = ""
    group: Code = _NO_GROUP

    def encodeFields(self) -> Pairs:
        members: dict[str, Any] = {"custom_face": self.name}
        if self.group:
            members["gcode"] = self.group
        members["vfwebqq"] = self.ticket.vfwebqq
        return [("r", encodeJSON(members))]

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            form.text("custom_face", ""),
            Code(form.integer("gcode", 0)),
        )
