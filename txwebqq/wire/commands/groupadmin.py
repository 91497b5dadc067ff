"""
The administration of groups.

WebQQ's own page could not do it, so these are endpoints of ours in the same
style (docs/readings.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from txwebqq.errors import MalformedReply
from txwebqq.model import MAY_ASK, NewGroup, Uin
from txwebqq.wire.coerce import unsigned
from txwebqq.wire.command import Authorization, Host, JSONCommand, Referer, apiForm
from txwebqq.wire.form import Form, Pairs, Ticket
from txwebqq.wire.parameters import GroupPost, codeOf, numberIfSaid, textIfSaid


@dataclass(frozen=True, slots=True)
class CreateGroup(JSONCommand[NewGroup]):
    """
    Make a group, with friends in it from the start. An endpoint of ours.

    @ivar option: who may join.
    """

    method: ClassVar[Literal["GET", "POST"]] = "POST"
    host: ClassVar[Host] = Host.API
    path: ClassVar[str] = "/api/create_group2"
    authorization: ClassVar[Authorization] = Authorization.VERIFIER
    referer: ClassVar[Referer | None] = Referer.API

    ticket: Ticket
    name: str
    uins: tuple[Uin, ...] = ()
    memo: str = ""
    description: str = ""
    option: int = MAY_ASK

    def encodeFields(self) -> Pairs:
        members = {
            "name": self.name,
            "mem_list": list(self.uins),
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }
        return apiForm(members, self.ticket)

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        uins = form.raw("mem_list") or ()
        try:
            friends = tuple(Uin(unsigned(uin)) for uin in uins)
        except (TypeError, ValueError) as e:
            raise MalformedReply("mem_list is not a list of numbers") from e
        return cls(
            form.ticket,
            form.text("name"),
            friends,
            form.text("memo", ""),
            form.text("fingermemo", ""),
            form.integer("option", MAY_ASK),
        )

    @classmethod
    def encodeResult(cls, reply: NewGroup) -> Any:
        return {"gid": reply.gid, "code": reply.code, "account": reply.number}

    @classmethod
    def decodeResult(cls, result: Any) -> NewGroup:
        return NewGroup(
            unsigned(result["gid"]),
            unsigned(result["code"]),
            unsigned(result["account"]),
        )


@dataclass(frozen=True, slots=True)
class ModifyGroupInfo(GroupPost):
    """
    Change what a group says of itself. An endpoint of ours.

    @ivar name: L{None}, like the others, leaves it as it is.
    """

    path: ClassVar[str] = "/api/modify_group_info2"

    name: str | None = None
    memo: str | None = None
    description: str | None = None
    option: int | None = None

    def encodeMembers(self) -> Mapping[str, Any]:
        return {
            "name": self.name,
            "memo": self.memo,
            "fingermemo": self.description,
            "option": self.option,
        }

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            codeOf(form),
            name=textIfSaid(form, "name"),
            memo=textIfSaid(form, "memo"),
            description=textIfSaid(form, "fingermemo"),
            option=numberIfSaid(form, "option"),
        )


@dataclass(frozen=True, slots=True)
class RemoveGroupMember(GroupPost):
    """
    Put somebody out of a group that we administer. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/remove_group_member2"

    member: Uin

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member}

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(form.ticket, codeOf(form), Uin(form.integer("muin")))


class TransferGroup(RemoveGroupMember):
    """
    Give a group of ours to one of its members. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/transfer_group2"


@dataclass(frozen=True, slots=True)
class SetGroupAdmin(GroupPost):
    """
    Make a member of our group an administrator, or no longer one. An endpoint
    of ours.
    """

    path: ClassVar[str] = "/api/set_group_admin2"

    member: Uin
    granted: bool

    def encodeMembers(self) -> Mapping[str, Any]:
        return {"muin": self.member, "op_type": int(self.granted)}

    @classmethod
    def decodeFields(cls, form: Form) -> Self:
        return cls(
            form.ticket,
            codeOf(form),
            Uin(form.integer("muin")),
            form.integer("op_type") == 1,
        )


class DissolveGroup(GroupPost):
    """
    End a group of ours. An endpoint of ours.
    """

    path: ClassVar[str] = "/api/dissolve_group2"
